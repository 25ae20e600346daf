/**
 * queries: how long the index takes for each kind of question, and how that grows with the number of reports.
 *
 * `npm run bench -- queries --reports 1000000,10000000 --hosts 10000 --postgres --keep FOLDER`. There is an index of each
 * size; every question is asked many times with other hosts, addresses and instants, drawn the same for the same seed.
 * Those that stand for many are asked of the whole API as well, and where it makes sense of plain NDJSON in DuckDB.
 */

import { seededRandom } from '../test/support/noise.ts';
import { number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { type DuckdbPeer, openDuckdbPeer } from './duckdb.ts';
import { openFilledIndex } from './filled-index.ts';
import { fleetStart, makeFleet } from './fleet.ts';
import { openGraphqlPeer } from './graphql-peer.ts';
import { median, quantile } from './median.ts';
import type { Aim, Draw } from './questions/question.ts';
import { makeQuestions } from './questions.ts';
import { type Dialect, dialectsFor, memoryOf } from './servers.ts';

const defaults = {
  reports: [20_000, 100_000] as readonly number[],
  hosts: 2_000,
  draws: 200,
  /** For each question; fewer draws then. */
  seconds: 2,
  postgres: false,
  /** Asks the same of plain NDJSON in DuckDB, of as many reports as this at most. */
  duckdb: 100_000,
  /** Only questions whose name has this text. */
  only: '',
  /** A folder for what was filled, which another run then uses again; empty: it is filled for this run alone. */
  keep: '',
};
type Flags = Omit<typeof defaults, 'postgres'>;
type Asked = Awaited<ReturnType<typeof makeQuestions>>[number];

const intervalSeconds = 3600;
/** Each takes about a second for a hundred thousand reports. */
const duckdbDraws = 3;

export async function main(args: string[] = []): Promise<void> {
  const { postgres, ...flags } = readFlags(args, defaults);
  const questions = (await makeQuestions(flags.hosts)).filter(({ name }) => name.includes(flags.only));
  for (const dialect of dialectsFor(postgres)) {
    const smallest = new Map<string, number>();
    for (const reports of flags.reports.toSorted((a, b) => a - b))
      await benchSize(dialect, reports, flags, questions, smallest);
  }
}

/** @param smallest p50 of each question at the smallest size, which the first one fills */
async function benchSize(
  dialect: Dialect,
  reports: number,
  { hosts, draws, seconds, duckdb: mostInDuckdb, keep: folder }: Flags,
  questions: readonly Asked[],
  smallest: Map<string, number>,
): Promise<void> {
  const keep = folder === '' ? null : folder;
  const filling = { hosts, reports, intervalSeconds, keep };
  const index = await openFilledIndex({ dialect, ...filling });
  const graphql = await openGraphqlPeer(index);
  const duckdb = reports > mostInDuckdb ? null : await openDuckdbPeer(filling);
  const { hostIds } = makeFleet({ hosts, intervalSeconds });
  const minutes = index.minutes === null ? 'kept' : `filled in ${number(index.minutes)} minutes`;
  const size = `${number(reports)} reports of ${number(hosts)} hosts in ${dialect}`;
  printLines(
    `queries: ${size} (${number((await index.bytes()) / 2 ** 20)} MiB, ${minutes}); p50, p99, most`,
    [],
  );
  for (const question of questions) {
    const { name, aim: most } = question;
    const draw = drawFrom(hostIds, fleetStart + (reports / hosts) * intervalSeconds * 1000);
    const asked = await timesOf(() => question.ask(index.store, draw), draws, seconds);
    const p50 = median(asked.times);
    const base = smallest.get(name);
    if (base === undefined) smallest.set(name, p50);
    const growth = base === undefined ? [] : [`${number(p50 / base)} × the smallest size's`];
    const peer = duckdb ? await besideDuckdb(duckdb, question, draw, p50) : [];
    printTimes(name, asked, [...againstAim(asked, most), ...growth, ...peer]);
    const whole = question.graphql?.bind(question);
    if (!whole) continue;
    const ofApi = await timesOf(() => graphql.ask(whole(draw)), draws, seconds);
    printTimes('  the same, of the whole API', ofApi, againstAim(ofApi, most));
  }
  const memory = await memoryOf(process.pid);
  if (memory)
    printLine({ name: 'memory of this process, peers included', figure: `${number(memory.now)} MiB` });
  duckdb?.close();
  await graphql.close();
}

function printTimes(name: string, { times, cpuMs }: Timed, beside: readonly string[]): void {
  const [p50, p99, most] = [median(times), quantile(times, 0.99), quantile(times, 1)];
  printLine({
    name,
    figure: `${number(p50)}  ${number(p99)}  ${number(most)} ms`,
    beside: [`CPU ${number(cpuMs)} ms`, ...beside].join(', '),
  });
}

function againstAim({ times }: Timed, most: Aim | null): string[] {
  if (!most) return [];
  const missed = [
    ...(median(times) > most.p50 ? ['p50 MISSED'] : []),
    ...(most.p99 !== null && quantile(times, 0.99) > most.p99 ? ['p99 MISSED'] : []),
  ];
  const limits = most.p99 === null ? `${number(most.p50)}` : `${number(most.p50)}, ${number(most.p99)}`;
  return [`aim: ${limits} ms, ${missed.join(', ') || 'met'}`];
}

async function besideDuckdb(peer: DuckdbPeer, question: Asked, draw: Draw, p50: number): Promise<string[]> {
  const asSql = question.duckdb?.bind(question);
  if (!asSql) return [];
  const { times } = await timesOf(() => peer.ask(asSql(draw)), duckdbDraws, 0, 0);
  const ofPeer = median(times);
  return [`DuckDB ${number(ofPeer)} ms, ${number(ofPeer / p50)} ×`];
}

type Timed = {
  /** Milliseconds that each asking took. */
  times: number[];
  /** Milliseconds of processor that one took of this process on average, its threads included; a server's are its own. */
  cpuMs: number;
};

/** After a few that are not counted. */
async function timesOf(
  ask: () => Promise<unknown>,
  draws: number,
  seconds: number,
  warmUps = 3,
): Promise<Timed> {
  for (let warmUp = 0; warmUp < warmUps; warmUp += 1) await ask();
  const times: number[] = [];
  const cpuBefore = process.cpuUsage();
  const until = performance.now() + seconds * 1000;
  while (times.length < draws && (performance.now() < until || times.length < 3)) {
    const startedAt = performance.now();
    await ask();
    times.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { times, cpuMs: (user + system) / 1000 / times.length };
}

function drawFrom(hostIds: readonly string[], to: number): Draw {
  const random = seededRandom(1);
  const hostNumber = () => Math.floor(random() * hostIds.length);
  return {
    hostNumber,
    hostId: () => hostIds[hostNumber()] ?? '',
    instant: () => Math.floor(fleetStart + random() * (to - fleetStart)),
    latest: () => to,
  };
}

if (import.meta.main) await runBenchmark(main);
