/**
 * collect-sample: one sample of bench/collect.ts, in a process of its own so that a first collection is one.
 *
 * `node bench/collect-sample.ts plugins|systeminformation` prints a Sample as JSON; `once` collects
 * once with our plugins and prints what they found, as a whole program does.
 */
import child_process from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export type Cost = { wallMs: number; cpuMs: number; processes: number };
export type Sample = { first: Cost; again: Cost[] };

/** As many as it takes to be warm, as a daemon is; fewer where each one takes a fifth of a second. */
const againRuns = { plugins: 100, systeminformation: 8 };

/** Those that tell what the other way's functions do. */
const compared = ['cpu', 'user', 'os', 'network'];

const ways = { plugins: loadPlugins, systeminformation: loadSystemInformation };

export type Way = keyof typeof ways;

if (import.meta.main) {
  const way = process.argv[2];
  if (way === 'once') {
    const collect = await loadPlugins();
    console.log(JSON.stringify(await collect()));
  } else {
    console.log(JSON.stringify(await sample(way as Way)));
  }
}

/** Loading the code is not part of a collection: a daemon does that once. */
async function sample(way: Way): Promise<Sample> {
  const countProcesses = watchProcesses();
  const collect = await ways[way]();
  const measure = async (): Promise<Cost> => {
    const before = { wall: performance.now(), cpu: cpuMs(), processes: countProcesses() };
    await collect();
    return {
      wallMs: performance.now() - before.wall,
      cpuMs: cpuMs() - before.cpu,
      processes: countProcesses() - before.processes,
    };
  };
  const first = await measure();
  const again: Cost[] = [];
  for (let run = 0; run < againRuns[way]; run++) again.push(await measure());
  return { first, again };
}

async function loadPlugins(): Promise<() => Promise<unknown>> {
  const { loadBuiltinPlugins } = await import('../plugins/index.ts');
  const plugins = (await loadBuiltinPlugins())
    .filter(({ name }) => compared.includes(name))
    .map((plugin) => ({ plugin, cache: new Map() }));
  const { signal } = new AbortController();
  return async () => {
    const results = plugins.map(async ({ plugin, cache }) => [
      plugin.name,
      await plugin.collect({ root: '/', options: {}, cache, signal }),
    ]);
    return Object.fromEntries(await Promise.all(results));
  };
}

/** The functions that give the same facts, called as its README shows them. */
async function loadSystemInformation(): Promise<() => Promise<unknown>> {
  const si = await import('systeminformation');
  return () =>
    Promise.all([
      si.cpu(),
      si.currentLoad(),
      si.users(),
      si.osInfo(),
      si.system(),
      si.time(),
      si.networkInterfaces(),
      si.networkGatewayDefault(),
    ]);
}

/**
 * Counts the processes that this one starts itself. Node.js announces those it does not wait for on a
 * channel; the others are counted by the functions that start them.
 */
function watchProcesses(): () => number {
  let processes = 0;
  subscribe('child_process', () => processes++);
  for (const name of ['spawnSync', 'execSync', 'execFileSync'] as const) {
    const original = child_process[name] as (...args: unknown[]) => unknown;
    const counted = (...args: unknown[]) => {
      processes++;
      return original(...args);
    };
    Object.assign(child_process, { [name]: counted });
  }
  syncBuiltinESMExports();
  return () => processes;
}

/** This process and those it started and saw end; the latter only where /proc tells, in hundredths of a second. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + childrenCpuMs();
}

export function childrenCpuMs(): number {
  if (process.platform !== 'linux') return 0;
  // The name in parentheses may hold blanks; cutime and cstime are fields 16 and 17 of proc_pid_stat(5).
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
