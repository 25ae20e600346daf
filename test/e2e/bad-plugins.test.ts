/** A daemon among bad plugins: what it holds after hundreds of cycles is what it held after the first. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtinPluginNames } from '../../plugins/index.ts';
import type { CyclesLine } from '../support/collect-cycles.ts';
import { node, repository, run } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const pluginThat = (name: string, collect: string) => `export default {
  name: '${name}', version: 1, description: 'x', facts: { n: { kind: 'count', description: 'n' } },
  async collect({ cache }) { ${collect} },
};`;

const files = {
  'loop.mjs': pluginThat('loop', 'for (;;);'),
  'hog.mjs': pluginThat('hog', 'const all = []; for (;;) all.push({});'),
  'exit.mjs': pluginThat(
    'exit',
    'Promise.reject(new Error("stray")); await new Promise(setImmediate); process.exit(1);',
  ),
  'good.mjs': pluginThat('good', 'cache.set("n", (cache.get("n") ?? 0) + 1); return { n: cache.get("n") };'),
};

const cycles = 200;

test.runIf(process.platform === 'linux')(
  'it goes on collecting, and neither memory, threads, files nor handles grow',
  async () => {
    const bad = [
      { use: './loop.mjs', timeout: '300ms' },
      { use: './hog.mjs', memory: '32MiB' },
      './exit.mjs',
    ];
    const cwd = await temporaryFolder({
      ...files,
      'agent.config.json': JSON.stringify({ plugins: [...builtinPluginNames, ...bad, './good.mjs'] }),
    });
    const script = join(repository, 'test/support/collect-cycles.ts');
    const startedAt = performance.now();
    const exit = await run(node, ['--expose-gc', script, 'agent.config.json', String(cycles)], { cwd });
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    const lines = exit.stdout
      .trim()
      .split('\n')
      .map((line): CyclesLine => JSON.parse(line));
    const took = Math.round((performance.now() - startedAt) / 1_000);
    console.log(`${cycles} cycles with three bad plugins took ${took} s; by cycle:`);
    console.table(lines.map(({ results: _, ...held }) => held));
    const total: Record<string, number> = {};
    for (const { results } of lines)
      for (const [key, count] of Object.entries(results)) total[key] = (total[key] ?? 0) + count;
    console.log('results:', total);

    // All others are as if the bad ones were not there.
    expect(total['good OK']).toBe(cycles);
    for (const name of builtinPluginNames) {
      expect((total[`${name} OK`] ?? 0) + (total[`${name} SKIPPED`] ?? 0), name).toBe(cycles);
    }
    // Each bad one was tried again and again, in every part of the run, and skipped in between.
    for (const { results } of lines) expect(Object.keys(results)).toContain('loop SKIPPED');
    for (const failure of ['loop TIMEOUT', 'hog ERROR', 'exit ERROR']) {
      expect(total[failure], failure).toBeGreaterThan(15);
    }
    const [, first, ...later] = lines;
    for (const line of later) {
      expect(line.threads).toBeLessThanOrEqual(first?.threads ?? 0);
      // A timer or a read may be under way; what stayed of each thread would be fifty.
      expect(line.descriptors).toBeLessThanOrEqual((first?.descriptors ?? 0) + 2);
      expect(line.handles).toBeLessThanOrEqual((first?.handles ?? 0) + 2);
    }
    // Code that V8 compiles makes a little.
    expect(lines.at(-1)?.usedMiB).toBeLessThanOrEqual((lines[2]?.usedMiB ?? 0) + 3);
    // V8 and the allocator keep some of what was given back, in no order; a thread that stayed would be 15 MiB, fifty times.
    expect(lines.at(-1)?.residentMiB).toBeLessThanOrEqual((lines[2]?.residentMiB ?? 0) + 150);
  },
);
