/**
 * overload: what one API process still does at several times of what it can: of reports alone, and of reports beside
 * expensive queries; with shedding, and with MAX_IN_FLIGHT=off beside it.
 *
 * `npm run bench -- overload`. Requests are sent when they are due, on a connection of their own each, as hosts do. What is
 * taken is looked for in the bucket at the end: no report that was acknowledged may be missing.
 */
import { writeFile } from 'node:fs/promises';
import { settingDefaults } from '../api/settings.ts';
import { readStored } from '../test/support/stored.ts';
import { number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { makeFleet } from './fleet.ts';
import { writeSegments } from './fleet-segments.ts';
import { type Flooded, flood } from './flood.ts';
import { heavyQueries } from './latency.ts';
import { connect, saturate } from './load.ts';
import { quantile } from './median.ts';
import {
  type BenchServer,
  cpuSecondsOf,
  folderStore,
  memoryOf,
  newIndexEnv,
  openStore,
  startBenchApi,
} from './servers.ts';
import { submission } from './submission.ts';

const defaults = {
  times: [1, 3, 10],
  seconds: 8,
  hosts: 2_000,
  preload: 20_000,
  /** How many hosts may wait for an answer. */
  connections: 4_000,
  'query-connections': 500,
  /** Without what the same takes with MAX_IN_FLIGHT=off. */
  alone: false,
};

/** What the API can do at most is found out with so many connections and in so many seconds. */
const capacityConnections = 64;
const capacitySeconds = 4;
/** Of what it can take of reports, beside the queries. */
const shareBesideQueries = 0.5;
const healthEveryMs = 100;

export async function main(args: string[] = []): Promise<void> {
  const flags = readFlags(args, defaults);
  printLines(`overload: ${flags.seconds} s each, ${number(flags.connections)} hosts that may wait`, []);
  await measure('shedding', { MAX_IN_FLIGHT: settingDefaults.MAX_IN_FLIGHT }, flags);
  if (!flags.alone) await measure('MAX_IN_FLIGHT=off', {}, flags);
}

type Flags = ReturnType<typeof readFlags<typeof defaults>>;

async function measure(mode: string, more: Record<string, string>, flags: Flags): Promise<void> {
  const env = { ...(await folderStore.env()), ...(await newIndexEnv('SQLite')), ...more };
  const fleet = makeFleet({ hosts: flags.hosts, intervalSeconds: 60, startAt: Date.now() - 3_600_000 });
  const bucket = await openStore(env);
  await writeSegments(bucket, fleet.next(flags.preload), 1_000);
  const server = await startBenchApi(env);
  const reports = makeReports([...fleet.next(flags.hosts)]);
  const queries = await heavyQueries(server.url);
  const saturation = { url: server.url, connections: capacityConnections, seconds: capacitySeconds };
  const requests = Array.from({ length: 50_000 }, () => reports.next());
  const { perSecond: capacity } = await saturate({ ...saturation, requests });
  const asked = Array.from({ length: 2_000 }, (_, index) => queries[index % queries.length] as Buffer);
  const { perSecond: queryCapacity } = await saturate({ ...saturation, connections: 4, requests: asked });
  const found = `${number(queryCapacity)} queries a second`;
  printLine({ name: `${mode}: capacity`, figure: `${number(capacity)} /s`, beside: found });

  const acknowledged = new Set<string>();
  const sendReports = (perSecond: number): Promise<Flooded> => {
    const ids: string[] = [];
    return flood({
      ...{ url: server.url, perSecond, seconds: flags.seconds, connections: flags.connections },
      request(index) {
        const request = reports.next();
        ids[index] = reports.id();
        return request;
      },
      onTaken: (index) => acknowledged.add(ids[index] as string),
    });
  };
  const askQueries = (perSecond: number): Promise<Flooded> =>
    flood({
      ...{ url: server.url, perSecond, seconds: flags.seconds, connections: flags['query-connections'] },
      request: (index) => queries[index % queries.length] as Buffer,
    });

  for (const times of flags.times) {
    await watched(`${mode}: reports ${times}×`, server, flags, () => [sendReports(times * capacity)]);
  }
  for (const times of flags.times) {
    await watched(`${mode}: reports ${shareBesideQueries}× beside queries ${times}×`, server, flags, () => [
      sendReports(shareBesideQueries * capacity),
      askQueries(times * queryCapacity),
    ]);
  }
  const stored = await readStored(bucket);
  bucket.close();
  const lost = [...acknowledged].filter((id) => !stored.has(id)).length;
  const beside = lost === 0 ? 'none is missing in the bucket' : `${number(lost)} ARE MISSING IN THE BUCKET`;
  printLine({ name: `${mode}: acknowledged`, figure: number(acknowledged.size), beside });
}

/** Prints what came of floods at the same time, with the memory and the health of the API meanwhile. */
async function watched(
  name: string,
  { url, pid }: BenchServer,
  { seconds }: Flags,
  begin: () => Promise<Flooded>[],
): Promise<void> {
  // Since here, not since it was started: https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => {});
  const health = watchHealth(url);
  const cpuBefore = await cpuSecondsOf(pid);
  const [reports, queries] = await Promise.all(begin());
  const alive = await health.stop();
  const memory = await memoryOf(pid);
  const cpuSeconds = (await cpuSecondsOf(pid)) - cpuBefore;
  if (!reports) return;
  const lines = [
    describe('reports', reports, seconds),
    ...(queries ? [describe('queries', queries, seconds)] : []),
    `health ${alive}`,
    `${number((100 * cpuSeconds) / seconds)} % of a core`,
    ...(memory ? [`at most ${number(memory.peak)} MiB`] : []),
  ];
  printLine({ name, figure: `${number(reports.taken / seconds)} /s`, beside: lines.join('; ') });
}

function describe(what: string, flooded: Flooded, seconds: number): string {
  const { taken, shed, failed, unsent, latencies } = flooded;
  const times = latencies.length === 0 ? [] : [0.5, 0.99].map((share) => number(quantile(latencies, share)));
  const parts = [`${number(taken / seconds)} /s taken`, `${number(shed / seconds)} refused`];
  if (unsent > 0) parts.push(`${number(unsent / seconds)} not sent, as all hosts waited`);
  if (failed > 0) parts.push(`${number(failed)} FAILED`);
  return `${what} ${parts.join(', ')}${times.length > 0 ? `, p50 p99 ${times.join(' ')} ms` : ''}`;
}

/** Asks `/health` all the while. */
function watchHealth(url: string): { stop(): Promise<string> } {
  const latencies: number[] = [];
  let failures = 0;
  let stopped = false;
  const request = Buffer.from('GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
  const look = async () => {
    const connection = await connect(url);
    while (!stopped) {
      const askedAt = performance.now();
      await connection.send(request).catch(() => {
        failures += 1;
      });
      latencies.push(performance.now() - askedAt);
      await new Promise((resolve) => setTimeout(resolve, healthEveryMs));
    }
    connection.close();
  };
  const looking = look();
  return {
    async stop() {
      stopped = true;
      await looking;
      const most = `p99 ${number(quantile(latencies, 0.99))} ms`;
      return failures > 0 ? `${most}, ${failures} FAILED` : most;
    },
  };
}

/** Submissions of a fleet, each with an id and a time of its own, made by writing these into one that is made already. */
function makeReports(of: readonly Parameters<typeof submission>[0][]) {
  const templates = of.map((report) => {
    const request = submission(report);
    const idAt = request.indexOf(report.id);
    return { request, id: report.id, idAt, timeAt: request.indexOf(report.collectedAt) };
  });
  let count = 0;
  let lastId = '';
  return {
    next(): Buffer {
      const template = templates[count % templates.length];
      if (!template) throw new Error('there is no report to send');
      const request = Buffer.from(template.request);
      lastId = template.id.slice(0, 24) + count.toString(16).padStart(12, '0');
      request.write(lastId, template.idAt, 'latin1');
      request.write(new Date().toISOString(), template.timeAt, 'latin1');
      count += 1;
      return request;
    },
    /** Of the one that was made last. */
    id: () => lastId,
  };
}

if (import.meta.main) await runBenchmark(main);
