/**
 * submit: how many reports a second one API process takes, each acknowledged only once it is durable.
 *
 * `npm run bench -- submit`. Beside it, under the same load: a bare HTTP server that parses JSON and a GraphQL Yoga
 * mutation that does nothing, which are the limits of the protocol and of the library we build on, and one put per
 * report, which is what group commit is measured against. Servers take turns, so that a machine that slows down slows
 * all of them.
 */
import { type Line, number, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { makeFleet } from './fleet.ts';
import { saturate } from './load.ts';
import { median } from './median.ts';
import {
  type BenchServer,
  cpuSecondsOf,
  folderStore,
  startBenchApi,
  startS3Store,
  startServer,
} from './servers.ts';
import { nextSubmissions } from './submission.ts';

const defaults = {
  connections: 64,
  hosts: 1_000,
  /** For each server and run; fewer when the time is up. */
  reports: 10_000,
  seconds: 4,
  runs: 3,
};

/** A server; `beside` are those that its rate is a share of. */
type Contestant = { name: string; server: BenchServer; runs: Run[]; beside: Contestant[] };
type Run = { perSecond: number; cpuSeconds: number; ownCpuShare: number };

/** For code to be compiled. */
const leastWarmUp = 2_000;

export async function main(args: string[] = []): Promise<void> {
  const { connections, hosts, reports, seconds, runs } = readFlags(args, defaults);
  const contestants = await startContestants();
  const load = { connections, seconds };
  // Every two minutes, for the last two hours.
  const fleet = makeFleet({ hosts, intervalSeconds: 120, startAt: Date.now() - 2 * 3600_000 });
  // Every host at least once: afterwards its facts are known, as those of a fleet are.
  const first = nextSubmissions(fleet, Math.max(hosts, leastWarmUp));
  for (const contestant of contestants) await measure(contestant, { ...load, requests: first });
  for (let run = 0; run < runs; run += 1) {
    const requests = nextSubmissions(fleet, reports);
    for (const contestant of contestants) {
      contestant.runs.push(await measure(contestant, { ...load, requests }));
    }
  }
  const bytes = number(median(first.map((request) => request.length)));
  printLines(
    `submit: reports a second, ${bytes} bytes each, ${connections} connections, median of ${runs} runs`,
    contestants.map(toLine),
  );
}

async function startContestants(): Promise<Contestant[]> {
  const enter = (name: string, server: BenchServer, beside: Contestant[] = []): Contestant => ({
    name,
    server,
    runs: [],
    beside,
  });
  const yoga = enter('an empty Yoga mutation', await startServer('empty-yoga'));
  const contestants = [enter('bare node:http with JSON.parse', await startServer('bare-http')), yoga];
  for (const store of [folderStore, await startS3Store()]) {
    const name = `one put per report, ${store.name}`;
    const naive = enter(name, await startServer('put-per-report', await store.env()));
    const api = await startBenchApi(await store.env());
    contestants.push(naive, enter(`os-inspector, durable in ${store.name}`, api, [yoga, naive]));
  }
  return contestants;
}

type Load = { requests: readonly Buffer[]; connections: number; seconds: number };

async function measure({ name, server }: Contestant, load: Load): Promise<Run> {
  const cpuBefore = await cpuSecondsOf(server.pid);
  const own = { cpu: process.cpuUsage(), at: performance.now() };
  try {
    const { answers, perSecond } = await saturate({ url: server.url, ...load });
    const { user, system } = process.cpuUsage(own.cpu);
    return {
      perSecond,
      cpuSeconds: ((await cpuSecondsOf(server.pid)) - cpuBefore) / answers,
      ownCpuShare: (user + system) / 1000 / (performance.now() - own.at),
    };
  } catch (cause) {
    throw new Error(`${name} failed under load`, { cause });
  }
}

function toLine({ name, runs, beside }: Contestant): Line {
  const rate = rateOf(runs);
  const cost = `${number(median(runs.map(({ cpuSeconds }) => cpuSeconds)) * 1e6)} µs of CPU each`;
  const own = `load generator ${number(100 * median(runs.map(({ ownCpuShare }) => ownCpuShare)))} % of a core`;
  const ratios = beside.map((peer) => `${number(rate / rateOf(peer.runs))} × ${peer.name}`);
  return { name, figure: `${number(rate)} /s`, beside: [cost, own, ...ratios].join(', ') };
}

function rateOf(runs: readonly Run[]): number {
  return median(runs.map(({ perSecond }) => perSecond));
}

if (import.meta.main) await runBenchmark(main);
