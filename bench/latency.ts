/**
 * latency: how long a submitReport waits for its answer at a steady pace, alone and beside heavy queries.
 *
 * `npm run bench -- latency`. Hosts send when they are due, whatever is still outstanding, and latency counts from then;
 * the index holds what `--preload` says before the first one. Memory of the API's process is read at the end.
 */
import { aim, number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { makeFleet } from './fleet.ts';
import { writeSegments } from './fleet-segments.ts';
import { connect, keepBusy, type Paced, pace, toRequest } from './load.ts';
import { quantile } from './median.ts';
import { folderStore, memoryOf, newIndexEnv, openStore, startBenchApi, startS3Store } from './servers.ts';
import { nextSubmissions } from './submission.ts';

const defaults = {
  rate: 1_000,
  seconds: 15,
  hosts: 10_000,
  preload: 50_000,
  'query-connections': 2,
  /** A bucket on S3, and an index in PostgreSQL. */
  s3: false,
  postgres: false,
};

/** What DESIGN.md allows one API process. */
const mostMemoryMiB = 300;
const warmUpSeconds = 3;
const reportsPerSegment = 1_000;

export async function main(args: string[] = []): Promise<void> {
  const flags = readFlags(args, defaults);
  const { rate, seconds, hosts, preload } = flags;
  const store = flags.s3 ? await startS3Store() : folderStore;
  const dialect = flags.postgres ? 'PostgreSQL' : 'SQLite';
  const env = { ...(await store.env()), ...(await newIndexEnv(dialect)) };
  // As many hosts as make this rate, each in its turn; what is there already ends a minute ago.
  const startAt = Date.now() - (preload / rate + 60) * 1000;
  const fleet = makeFleet({ hosts, intervalSeconds: hosts / rate, startAt });
  const bucket = await openStore(env);
  await writeSegments(bucket, fleet.next(preload), reportsPerSegment);
  bucket.close();

  const { url, pid } = await startBenchApi(env);
  const submit = async (during: number) =>
    pace({ url, requests: nextSubmissions(fleet, rate * during), perSecond: rate });
  const where = `${store.name} and ${dialect}`;
  printLines(`latency: submitReport at ${number(rate)} /s, ${where}; p50, p99, most`, []);
  await printMemory(`having indexed ${number(preload)} reports`, pid);
  await submit(warmUpSeconds);
  printLatencies('alone', await submit(seconds));
  await printMemory('after that', pid);
  const stop = await keepBusy(url, await heavyQueries(url), flags['query-connections']);
  const paced = await submit(seconds);
  const { perSecond } = await stop();
  printLatencies('beside heavy queries', paced, `${number(perSecond)} queries a second`);
  await printMemory('after that', pid);
}

async function printMemory(when: string, pid: number): Promise<void> {
  const memory = await memoryOf(pid);
  if (!memory) return;
  const figure = `${number(memory.now)}  ${number(memory.peak)} MiB`;
  const beside = aim(memory.peak, mostMemoryMiB, 'MiB');
  printLine({ name: `memory of the API ${when}, now and at most`, figure, beside });
}

function printLatencies(name: string, { latencies, refused, unsent }: Paced, beside = ''): void {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => number(quantile(latencies, share)));
  const problems = [
    ...(refused > 0 ? [`${number(refused)} REFUSED`] : []),
    ...(unsent > 0 ? [`FELL BEHIND, ${number(unsent)} were not even sent`] : []),
  ];
  printLine({
    name,
    figure: `${p50}  ${p99}  ${most} ms`,
    beside: [beside, ...problems].filter(Boolean).join(', '),
  });
}

/** Questions that have to look at much: text anywhere in a fact, counts of all, pages deep in a list. */
export async function heavyQueries(url: string): Promise<Buffer[]> {
  const count = (filter: string) => toRequest({ query: `{ reports(filter: ${filter}) { totalCount } }` });
  const counts = [
    '{ os: { hostname: { contains: "in no name" } } }',
    '{ os: { hostname: { contains: "-9" } } }',
    '{ not: { os: { distribution: { eq: "Debian GNU/Linux" } } } }',
    '{}',
  ].map(count);
  const pages = await deepPages(url);
  return counts.flatMap((request, index) => [request, pages[index] ?? request]);
}

const page = /* GraphQL */ `
  query ($after: String) {
    reports(first: 200, after: $after) {
      nodes { id host { name } results { plugin status } os { distribution kernel } }
      pageInfo { endCursor }
    }
  }
`;

/** Every tenth of the first pages, each after the one before. */
async function deepPages(url: string): Promise<Buffer[]> {
  const connection = await connect(url);
  const requests: Buffer[] = [];
  let after: string | null = null;
  for (let turn = 0; turn < 40; turn += 1) {
    const request = toRequest({ query: page, variables: { after } });
    const answer: string = (await connection.send(request)).toString('utf8');
    const [, endCursor] = /"endCursor":"([^"]+)"/.exec(answer) ?? [];
    if (endCursor === undefined) break;
    after = endCursor;
    if (turn % 10 === 9) requests.push(request);
  }
  connection.close();
  return requests;
}

if (import.meta.main) await runBenchmark(main);
