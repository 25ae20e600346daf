/**
 * queries: how long the index takes for each kind of question, and how that grows with the number of reports.
 *
 * `npm run bench -- queries --reports 100000,1000000 --hosts 10000`. One index grows from size to size; at each, every
 * question is asked many times with other hosts, addresses and instants, drawn the same for the same seed.
 */
import { seededRandom } from '../test/support/noise.ts';
import { aim, number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { type DuckdbPeer, openDuckdbPeer } from './duckdb.ts';
import { fleetStart, makeFleet } from './fleet.ts';
import { segmentsOf } from './fleet-segments.ts';
import { median, quantile } from './median.ts';
import { openBenchIndex } from './open-index.ts';
import { type Draw, makeQuestions, type Question } from './questions.ts';
import { type Dialect, dialectsFor, memoryOf } from './servers.ts';

const defaults = {
  reports: [20_000, 100_000] as readonly number[],
  hosts: 2_000,
  draws: 200,
  /** For each question; fewer draws then. */
  seconds: 3,
  postgres: false,
  /** Asks the same of plain NDJSON in DuckDB, of as many reports as this at most. */
  duckdb: 100_000,
};

const reportsPerSegment = 1_000;
const intervalSeconds = 3600;
/** Each takes about a second for a hundred thousand reports. */
const duckdbDraws = 3;

export async function main(args: string[] = []): Promise<void> {
  const flags = readFlags(args, defaults);
  const questions = await makeQuestions();
  for (const dialect of dialectsFor(flags.postgres)) await benchDialect(dialect, flags, questions);
}

async function benchDialect(
  dialect: Dialect,
  { reports: sizes, hosts, draws, seconds, duckdb }: Omit<typeof defaults, 'postgres'>,
  questions: readonly Question[],
): Promise<void> {
  const { store, bytes } = await openBenchIndex(dialect);
  const fleet = makeFleet({ hosts, intervalSeconds });
  const hostIds: string[] = [];
  const smallest = new Map<string, number>();
  let peer: DuckdbPeer | null = await openDuckdbPeer();
  let held = 0;
  for (const size of sizes.toSorted((a, b) => a - b)) {
    const startedAt = performance.now();
    if (size > duckdb) {
      await peer?.close();
      peer = null;
    }
    for (const segment of segmentsOf(fleet.next(size - held), reportsPerSegment)) {
      await store.apply([segment]);
      await peer?.add(segment);
      for (const { host } of segment.reports) if (hostIds.length < hosts) hostIds.push(host.id);
    }
    held = size;
    const minutes = number((performance.now() - startedAt) / 60_000);
    const to = fleetStart + (size / hosts) * intervalSeconds * 1000;
    const what = `${number(size)} reports of ${number(hosts)} hosts in ${dialect}`;
    const filled = `${number((await bytes()) / 2 ** 20)} MiB, filled in ${minutes} minutes`;
    printLines(`queries: ${what} (${filled}); p50, p99, most`, []);
    for (const { name, ask, aim: most, duckdb: asSql } of questions) {
      const draw = drawFrom(hostIds, fleetStart, to);
      const times = await timesOf(() => ask(store, draw), draws, seconds);
      const [p50, p99, longest] = [median(times), quantile(times, 0.99), quantile(times, 1)];
      const base = smallest.get(name);
      if (base === undefined) smallest.set(name, p50);
      const ofPeer = peer && asSql ? await timesOfPeer(peer, asSql, draw) : null;
      const beside = [
        ...(most ? [`p50 ${aim(p50, most.p50, 'ms')}`] : []),
        ...(most?.p99 ? [`p99 ${aim(p99, most.p99, 'ms')}`] : []),
        ...(base === undefined ? [] : [`${number(p50 / base)} × the smallest size's`]),
        ...(ofPeer === null ? [] : [`DuckDB ${number(ofPeer)} ms, ${number(ofPeer / p50)} ×`]),
      ];
      printLine({
        name,
        figure: `${number(p50)}  ${number(p99)}  ${number(longest)} ms`,
        beside: beside.join(', '),
      });
    }
    const memory = await memoryOf(process.pid);
    if (memory) {
      printLine({ name: 'memory of this process, generator included', figure: `${number(memory.now)} MiB` });
    }
  }
  await peer?.close();
  await store.close();
}

/** Milliseconds at the median. */
async function timesOfPeer(peer: DuckdbPeer, asSql: (draw: Draw) => string, draw: Draw): Promise<number> {
  const times: number[] = [];
  for (let number = 0; number < duckdbDraws; number += 1) {
    const startedAt = performance.now();
    await peer.ask(asSql(draw));
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

/** Milliseconds that each asking took, after a few that are not counted. */
async function timesOf(ask: () => Promise<unknown>, draws: number, seconds: number): Promise<number[]> {
  for (let warmUp = 0; warmUp < 3; warmUp += 1) await ask();
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  while (times.length < draws && (performance.now() < until || times.length < 3)) {
    const startedAt = performance.now();
    await ask();
    times.push(performance.now() - startedAt);
  }
  return times;
}

function drawFrom(hostIds: readonly string[], from: number, to: number): Draw {
  const random = seededRandom(1);
  const hostNumber = () => Math.floor(random() * hostIds.length);
  return {
    hostNumber,
    hostId: () => hostIds[hostNumber()] ?? '',
    instant: () => Math.floor(from + random() * (to - from)),
  };
}

if (import.meta.main) await runBenchmark(main);
