/**
 * noise: damaged and random input for parsers, the same for the same seed.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Random = () => number;

/** mulberry32: numbers from 0 up to 1. */
export function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of the ways in which a file goes wrong: torn, random, flipped bits, lines lost or doubled. */
export function damage(bytes: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(random() * bytes.length);
  const ways: (() => Uint8Array)[] = [
    () => bytes.slice(0, at),
    () => bytes.slice(at),
    () => Uint8Array.from({ length: Math.floor(random() * 600) }, () => Math.floor(random() * 256)),
    () => bytes.map((byte) => (random() < 0.05 ? byte ^ (1 << Math.floor(random() * 8)) : byte)),
    () => Buffer.concat([bytes.slice(0, at), bytes]),
    () => new Uint8Array(),
    () => Buffer.from(Buffer.from(bytes).toString('latin1').replace(/\d+/g, '9'.repeat(400)), 'latin1'),
  ];
  const way = ways[Math.floor(random() * ways.length)];
  return way ? way() : bytes;
}

/** Runs a function on a copy of a folder in which about half of the files are damaged. */
export async function withDamagedFiles<T>(
  folder: string,
  seed: number,
  use: (copy: string) => Promise<T>,
): Promise<T> {
  const random = seededRandom(seed);
  const copy = mkdtempSync(join(tmpdir(), 'os-inspector-noise-'));
  try {
    cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
    for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === 'node-os.json' || random() < 0.5) continue;
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      writeFileSync(
        path,
        entry.name === 'commands.json' ? damageOutputs(bytes, random) : damage(bytes, random),
      );
    }
    return await use(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A recording of what programs wrote is ours, and whole: what they wrote may be damaged. */
function damageOutputs(commands: Uint8Array, random: Random): string {
  const recorded = Object.entries<string>(JSON.parse(Buffer.from(commands).toString()));
  const damaged = recorded.map(([command, output]) => {
    return [
      command,
      Buffer.from(damage(Buffer.from(output), random))
        .toString()
        .replaceAll('\0', ''),
    ];
  });
  return JSON.stringify(Object.fromEntries(damaged));
}
