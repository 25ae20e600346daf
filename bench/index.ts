/**
 * index: how fast reports get into the index, live and by a rebuild, and what they take there and in the bucket.
 *
 * `npm run bench -- index`. Beside it, on the same reports: each as one row of JSON in a bare SQLite table, which is the
 * least that keeping them costs and the most that they could take, and reading the segments with nothing behind
 * it, which no rebuild can outrun.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BucketReader } from '../api/bucket/bucket.ts';
import { decodeSegment, type Segment } from '../api/log/segment.ts';
import { segmentPrefix } from '../api/log/segment-key.ts';
import { node, run } from '../test/support/process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { aim, number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { type Fleet, makeFleet } from './fleet.ts';
import { segmentsOf, writeSegments } from './fleet-segments.ts';
import { openBenchIndex, sqliteBytes } from './open-index.ts';
import { type Dialect, dialectsFor, newIndexEnv, openStore } from './servers.ts';

const defaults = {
  reports: 50_000,
  hosts: 2_000,
  /** Of the bucket, before it is compacted: as many as gather while the load is moderate. */
  'segment-reports': 50,
  postgres: false,
};
type Flags = Omit<typeof defaults, 'postgres'>;

const appliedAtOnce = 1_000;
/** Bytes that a report may take, where there are many of each host. */
const most = { index: 200, bucket: 150 };

export async function main(args: string[] = []): Promise<void> {
  const { postgres, ...flags } = readFlags(args, defaults);
  const dialects = dialectsFor(postgres);
  const what = `${number(flags.reports)} reports of ${number(flags.hosts)} hosts`;
  printLines(`index: ${what}, applied ${number(appliedAtOnce)} at a time`, []);
  await applyToBareTable(flags);
  for (const dialect of dialects) await applyTo(dialect, flags);
  printLines(`index: ${what}, in a folder bucket`, []);
  await compactAndRebuild(flags, dialects);
}

async function applyTo(dialect: Dialect, flags: Flags): Promise<void> {
  const { store, bytes } = await openBenchIndex(dialect);
  const fleet = makeFleet(flags);
  const empty = await bytes();
  const first = await timed(fleet, flags.hosts, (segment) => store.apply([segment]));
  const afterFirst = await bytes();
  const more = flags.reports - flags.hosts;
  const rest = await timed(fleet, more, (segment) => store.apply([segment]));
  const after = await bytes();
  await store.close();
  printRate(`${dialect}, the first report of each host`, flags.hosts / first);
  printRate(`${dialect}, every later one`, more / rest);
  printBytes(`${dialect}, a first report`, (afterFirst - empty) / flags.hosts);
  printBytes(`${dialect}, a later report`, (after - afterFirst) / more, most.index);
  printBytes(
    `${dialect}, all of it, ${number(flags.reports / flags.hosts)} reports a host`,
    after / flags.reports,
    most.index,
  );
}

async function applyToBareTable(flags: Flags): Promise<void> {
  const file = join(await temporaryFolder(), 'bare.db');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec('CREATE TABLE reports (id TEXT PRIMARY KEY, report TEXT NOT NULL)');
  const insert = database.prepare('INSERT INTO reports VALUES (?, ?)');
  const seconds = await timed(makeFleet(flags), flags.reports, ({ reports }) => {
    database.exec('BEGIN');
    for (const report of reports) insert.run(report.id, JSON.stringify(report));
    database.exec('COMMIT');
  });
  database.close();
  printRate('a bare table, one row of JSON a report', flags.reports / seconds);
  printBytes('a bare table', sqliteBytes(file) / flags.reports);
}

/** Seconds that the next so many reports take, those of making them not counted. */
async function timed(fleet: Fleet, count: number, apply: (segment: Segment) => unknown): Promise<number> {
  let spent = 0;
  for (const segment of segmentsOf(fleet.next(count), appliedAtOnce)) {
    const startedAt = performance.now();
    await apply(segment);
    spent += performance.now() - startedAt;
  }
  return spent / 1000;
}

/** Of the bucket as the log leaves it, and compacted; rebuilds as whole processes, from start to end. */
async function compactAndRebuild(flags: Flags, dialects: readonly Dialect[]): Promise<void> {
  const { reports } = flags;
  const env = { BUCKET_URL: `file:${await temporaryFolder()}` };
  const bucket = await openStore(env);
  await writeSegments(bucket, makeFleet(flags).next(reports), flags['segment-reports']);
  const written = await readAll(bucket);
  printBytes(`${number(written.segments)} segments as written`, written.bytes / reports);
  const compacting = await secondsOf('compact', env);
  const compacted = await readAll(bucket);
  printBytes(`${number(compacted.segments)} segments compacted`, compacted.bytes / reports, most.bucket);
  printRate('compacting them', reports / compacting);
  printRate('reading the compacted ones, with nothing behind', reports / compacted.seconds);
  for (const dialect of dialects) {
    const seconds = await secondsOf('rebuild', { ...env, ...(await newIndexEnv(dialect)) });
    printRate(`rebuilding ${dialect} from them`, reports / seconds);
  }
  bucket.close();
}

async function readAll(bucket: BucketReader): Promise<{ segments: number; bytes: number; seconds: number }> {
  let [segments, bytes] = [0, 0];
  const startedAt = performance.now();
  for await (const { key } of bucket.list({ prefix: segmentPrefix })) {
    const body = await bucket.get(key);
    if (!body) throw new Error(`${key} went away`);
    await decodeSegment(key, body);
    segments += 1;
    bytes += body.length;
  }
  return { segments, bytes, seconds: (performance.now() - startedAt) / 1000 };
}

/** How long a command of the API takes. */
async function secondsOf(command: string, env: Record<string, string>): Promise<number> {
  const startedAt = performance.now();
  const { code, stdout, stderr } = await run(node, ['api/main.ts', command], { env });
  if (code !== 0) throw new Error(`os-inspector-api ${command} failed:\n${stdout}${stderr}`);
  return (performance.now() - startedAt) / 1000;
}

function printRate(name: string, perSecond: number): void {
  printLine({ name, figure: `${number(perSecond)} /s` });
}

function printBytes(name: string, bytes: number, atMost?: number): void {
  const beside = atMost === undefined ? '' : aim(bytes, atMost, 'bytes');
  printLine({ name, figure: `${number(bytes)} bytes`, beside });
}

if (import.meta.main) await runBenchmark(main);
