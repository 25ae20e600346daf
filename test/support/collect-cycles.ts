/**
 * collect-cycles: a process that collects again and again as the daemon does, on a clock that does not wait.
 *
 * Arguments: the config file, whose plugin good.mjs alone may keep its thread, and the number of cycles. Prints a JSON line at each tenth of them: what the process holds,
 * and how the plugins fared since the line before.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createCollector } from '../../agent/collect.ts';
import { setUp } from '../../agent/setup.ts';
import { eventually } from './eventually.ts';
import { type Held, heldNow } from './held.ts';

export type CyclesLine = Held & {
  cycle: number;
  strays: number;
  /** Numbers of results by plugin and status, as `loop TIMEOUT`. */
  results: Record<string, number>;
};

const [configFile = '', count = ''] = process.argv.slice(2);
const cycles = Number(count);
/** Of each plugin's own clock; a failing plugin is tried once in fifteen of these. */
const intervalMs = 4 * 60_000;
let now = 0;
let strays = 0;
let results: Record<string, number> = {};

const { plugins } = await setUp({
  ...{
    cwd: process.cwd(),
    configFile,
    overrides: {},
    env: {},
    root: '/',
    stateFolder: '/nowhere',
    needsUrl: false,
  },
  onStray: () => {
    strays += 1;
  },
});
const moment = () => ({ now, wallNow: Date.UTC(2026, 0, 1) + now });
const pace = { hostId: 'a host', intervalMs, moment };
const collector = createCollector(plugins, { root: '/', platform: process.platform, pace });
const stop = new AbortController().signal;
for (let cycle = 1; cycle <= cycles; cycle += 1) {
  for (const { plugin, status } of await collector.collect(stop)) {
    const key = `${plugin} ${status}`;
    results[key] = (results[key] ?? 0) + 1;
  }
  now += intervalMs;
  if (cycle % (cycles / 10) === 0) await show(cycle);
}
process.exit();

async function show(cycle: number): Promise<void> {
  await eventually('threads that were ended are gone', () => {
    const names = readdirSync('/proc/self/task').map((id) =>
      readFileSync(`/proc/self/task/${id}/comm`, 'utf8'),
    );
    return names.filter((name) => name.startsWith('./')).every((name) => name === './good.mjs\n');
  });
  const line: CyclesLine = {
    cycle,
    ...heldNow(),
    strays,
    results,
  };
  results = {};
  strays = 0;
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
