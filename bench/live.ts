/**
 * live: how long after its acknowledgement a subscriber sees a report, at a steady pace.
 *
 * `npm run bench -- live --postgres`. Subscribers listen over server-sent events, half of them to reports with a common fact only.
 * With SQLite to the API that takes the reports; with PostgreSQL to another one on the same database. Times are those at which
 * this process, which plays agents and subscribers, was told.
 */
import { eventually } from '../test/support/eventually.ts';
import { aim, number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { commonDistribution, makeFleet } from './fleet.ts';
import { pace } from './load.ts';
import { quantile } from './median.ts';
import { type Dialect, dialectsFor, folderStore, newIndexEnv, startBenchApi } from './servers.ts';
import { submission } from './submission.ts';

const defaults = {
  /** Reports a second. */
  rate: 50,
  seconds: 10,
  subscribers: 10,
  hosts: 1_000,
  postgres: false,
};
type Flags = Omit<typeof defaults, 'postgres'>;

const mostMs = 50;
const warmUpSeconds = 3;
/** In case that events are lost: then that is told. */
const patienceMs = 30_000;

export async function main(args: string[] = []): Promise<void> {
  const { postgres, ...flags } = readFlags(args, defaults);
  const { rate, subscribers } = flags;
  const what = `${number(rate)} reports a second, ${number(subscribers)} subscribers`;
  printLines(`live: ${what}; ms from the acknowledgement to the event: p50, p99, most`, []);
  for (const dialect of dialectsFor(postgres)) await benchDialect(dialect, flags);
}

async function benchDialect(dialect: Dialect, { rate, seconds, subscribers, hosts }: Flags): Promise<void> {
  const env = { ...(await folderStore.env()), ...(await newIndexEnv(dialect)) };
  const taking = await startBenchApi(env);
  const telling = dialect === 'SQLite' ? taking : await startBenchApi(env);
  const acknowledged = new Map<string, number>();
  const events: { id: string; at: number }[] = [];
  const ended = new AbortController();
  const streams = await Promise.all(
    Array.from({ length: subscribers }, (_, number) =>
      subscribe(telling.url, number % 2 === 1, ended.signal, (id) =>
        events.push({ id, at: performance.now() }),
      ),
    ),
  );
  const fleet = makeFleet({ hosts, intervalSeconds: hosts / rate, startAt: Date.now() });
  /** @returns how many events it must have made */
  const submit = async (during: number): Promise<number> => {
    const reports = [...fleet.next(rate * during)];
    const requests = reports.map(submission);
    await pace({
      url: taking.url,
      requests,
      perSecond: rate,
      onAnswer: (index) => acknowledged.set(reports[index]?.id ?? '', performance.now()),
    });
    const common = reports.filter((report) => JSON.stringify(report.results).includes(commonDistribution));
    return reports.length * Math.ceil(subscribers / 2) + common.length * Math.floor(subscribers / 2);
  };
  const failed = Promise.race(streams.map(({ done }) => done)).then(() => {
    if (!ended.signal.aborted) throw new Error('a subscription ended by itself');
  });
  // One that fails while reports are sent is told afterwards.
  failed.catch(() => {});
  const allSeen = (count: number) =>
    Promise.race([
      failed,
      eventually('all events are seen', () => events.length >= count, { withinMs: patienceMs }),
    ]);
  await allSeen(await submit(warmUpSeconds));
  events.length = 0;
  await allSeen(await submit(seconds));
  ended.abort();
  await Promise.all(streams.map(({ done }) => done));
  const waits = events.map(({ id, at }) => at - (acknowledged.get(id) ?? Number.NaN));
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(waits, share)) as [number, number, number];
  printLine({
    name: dialect === 'SQLite' ? 'SQLite, one API' : 'PostgreSQL, from one API to another',
    figure: `${number(p50)}  ${number(p99)}  ${number(most)} ms`,
    beside: `${number(events.length)} events, ${aim(p99, mostMs, 'ms')}`,
  });
}

/** Resolves once it listens; `done` once its stream has ended. */
async function subscribe(
  url: string,
  isFiltered: boolean,
  signal: AbortSignal,
  onReport: (id: string) => void,
): Promise<{ done: Promise<void> }> {
  const filter = isFiltered
    ? `(filter: { os: { distribution: { eq: ${JSON.stringify(commonDistribution)} } } })`
    : '';
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: `subscription { reportSubmitted${filter} { id collectedAt host { id name } os { distribution kernel } } }`,
    }),
    signal,
  });
  if (!response.ok || !response.body) throw new Error(`a subscription was answered ${response.status}`);
  const done = read(response.body, onReport).catch((cause) => raiseUnless(signal, cause));
  done.catch(() => {});
  return { done };
}

async function read(body: ReadableStream<Uint8Array>, onReport: (id: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue;
      const { data, errors } = JSON.parse(line.slice('data: '.length));
      if (errors) throw new Error(`a subscription failed: ${JSON.stringify(errors)}`);
      onReport(data.reportSubmitted.id);
    }
  }
}

function raiseUnless({ aborted }: AbortSignal, cause: unknown): void {
  if (!aborted) throw cause;
}

if (import.meta.main) await runBenchmark(main);
