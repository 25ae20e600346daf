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

export type CyclesLine = {
  cycle: number;
  residentMiB: number;
  threads: number;
  descriptors: number;
  /** Timers, ports and the like that Node knows of. */
  handles: number;
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
  ...{ cwd: process.cwd(), configFile, overrides: {}, env: {}, root: '/', needsUrl: false },
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
  const status = readFileSync('/proc/self/status', 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  const line: CyclesLine = {
    cycle,
    residentMiB: Math.round(field('VmRSS') / 1024),
    threads: field('Threads'),
    descriptors: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().length,
    strays,
    results,
  };
  results = {};
  strays = 0;
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
