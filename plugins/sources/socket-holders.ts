/**
 * socket-holders: finds which processes have given sockets open, by the links in /proc/[pid]/fd.
 *
 * Every process's every file is looked at, so this is dear: some 5 µs a file. The calls are synchronous, since those files
 * are in memory and a promise for each would cost several times more; between processes others get their turn.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

export type Holder = { process: string | null; executable: string | null };

export type Holders = {
  /** By inode of the socket. */
  byInode: ReadonlyMap<number, Holder>;
  /** Whether every process could be looked into; else a socket without a holder may still have one. */
  isWhole: boolean;
};

/** Processes looked into before others get their turn. */
const processesAtOnce = 20;

/**
 * Of several processes that share a socket the one with the lowest id counts, which started the others; the init system,
 * which may keep the sockets of its services open as well, only where there is no other.
 */
export async function findHolders(
  root: string,
  inodes: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<Holders> {
  const proc = join(root, 'proc');
  const byInode = new Map<number, Holder>();
  let isWhole = true;
  let count = 0;
  for (const pid of processIds(proc)) {
    if (byInode.size === inodes.size) break;
    if (++count % processesAtOnce === 0) await setImmediate(undefined, { signal });
    const found = socketsOf(join(proc, pid, 'fd'), inodes);
    if (found === null) isWhole = false;
    const missing = found?.filter((inode) => !byInode.has(inode)) ?? [];
    if (missing.length === 0) continue;
    const holder = describe(join(proc, pid));
    for (const inode of missing) byInode.set(inode, holder);
  }
  return { byInode, isWhole };
}

function processIds(proc: string): string[] {
  const pids = attempt(() => readdirSync(proc))?.filter((name) => /^\d+$/.test(name)) ?? [];
  const ordered = pids.sort((a, b) => Number(a) - Number(b));
  return ordered[0] === '1' ? [...ordered.slice(1), '1'] : ordered;
}

/** Null when it may not be looked into. A process that has ended meanwhile has none. */
function socketsOf(folder: string, inodes: ReadonlySet<number>): number[] | null {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? null : [];
  }
  return names.flatMap((name) => {
    const target = attempt(() => readlinkSync(join(folder, name))) ?? '';
    const inode = target.startsWith('socket:[') ? Number(target.slice(8, -1)) : Number.NaN;
    return inodes.has(inode) ? inode : [];
  });
}

function describe(folder: string): Holder {
  const name = attempt(() => readFileSync(join(folder, 'comm'), 'utf8'));
  const executable = attempt(() => readlinkSync(join(folder, 'exe')));
  return {
    process: name?.replaceAll('\0', '').trim() || null,
    // Replaced by an upgrade, it is still the same program to an inventory.
    executable: executable?.replace(/ \(deleted\)$/, '') || null,
  };
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
