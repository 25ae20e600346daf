/**
 * collect-sample: one sample of bench/collect.ts, in a process of its own so that a first collection is one.
 *
 * `node bench/collect-sample.ts plugins|systeminformation` prints a Sample as JSON; `once` collects
 * once with our plugins and prints what they found, as a whole program does.
 */
import { countProcesses } from '../agent/isolation/count-processes.ts';
import { cpuMs } from '../agent/plugins-test/cpu-time.ts';

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
  const processes = countProcesses();
  const collect = await ways[way]();
  const measure = async (): Promise<Cost> => {
    const before = { wall: performance.now(), cpu: cpuMs(), processes: processes() };
    await collect();
    return {
      wallMs: performance.now() - before.wall,
      cpuMs: cpuMs() - before.cpu,
      processes: processes() - before.processes,
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
