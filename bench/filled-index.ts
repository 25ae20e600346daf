/**
 * filled-index: an index of a fleet's reports, which a later run can use again.
 *
 * Filled as a rebuild fills it: in bulk, the indexes for questions last.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openPostgresIndex, openPostgresRebuild } from '../api/index/postgres-index.ts';
import { openSqliteIndex, openSqliteRebuild } from '../api/index/sqlite-index.ts';
import type { Segment } from '../api/log/segment.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { whenFileIsDone } from '../test/support/cleanup.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { number } from './benchmark.ts';
import { makeFleet } from './fleet.ts';
import { segmentsOf } from './fleet-segments.ts';
import { type BenchIndex, postgresBytes, sqliteBytes } from './open-index.ts';
import type { Dialect } from './servers.ts';

export type Filling = {
  dialect: Dialect;
  hosts: number;
  reports: number;
  intervalSeconds: number;
  /** A folder to keep it in, and to take it from where it is there already; null: it goes with the run. */
  keep: string | null;
};

export type FilledIndex = BenchIndex & {
  /** What an API finds it by, and the bucket that it says it is a view of. */
  env: { INDEX_URL: string; BUCKET_URL: string };
  /** How long it took to fill; null where it was kept from a run before. */
  minutes: number | null;
};

const reportsPerSegment = 1_000;
const segmentsAtOnce = 5;
/** Said of the filling every so often. */
const reportsPerLine = 1_000_000;

export async function openFilledIndex(filling: Filling): Promise<FilledIndex> {
  const { dialect, keep } = filling;
  const folder = keep === null ? await temporaryFolder() : join(keep, nameOf(filling));
  await mkdir(folder, { recursive: true });
  const bucket = `file:${join(folder, 'bucket')}`;
  const options = { bucket, plugins: await loadBuiltinPlugins() };
  const { url, open, rebuild, bytes } = await (dialect === 'SQLite' ? sqliteIn : postgresIn)(folder, options);
  let store = await open();
  const startedAt = performance.now();
  const isFilled = (await store.mark()) !== null;
  if (!isFilled) {
    await store.close();
    await fill(await rebuild(), filling);
    store = await open();
  }
  return {
    store,
    bytes,
    env: { INDEX_URL: url, BUCKET_URL: bucket },
    minutes: isFilled ? null : (performance.now() - startedAt) / 60_000,
  };
}

function nameOf({ dialect, hosts, reports, intervalSeconds }: Filling): string {
  return `${dialect.toLowerCase()}-${reports}-reports-${hosts}-hosts-${intervalSeconds}s`;
}

type Options = Omit<Parameters<typeof openSqliteIndex>[0], 'file'>;
type Rebuild = Awaited<ReturnType<typeof openSqliteRebuild>>;

async function sqliteIn(folder: string, options: Options) {
  const file = join(folder, 'index.db');
  return {
    url: `sqlite:${file}`,
    open: () => openSqliteIndex({ file, ...options }),
    rebuild: () => openSqliteRebuild({ file, ...options }),
    bytes: async () => sqliteBytes(file),
  };
}

async function postgresIn(folder: string, options: Options) {
  const server = await startPostgres(folder);
  // In order, so that it is whole at once the next time; the end of all would be a power cut to it.
  whenFileIsDone(server.stop);
  const url = server.url();
  return {
    url,
    open: () => openPostgresIndex({ url, ...options }),
    rebuild: () => openPostgresRebuild({ url, ...options }),
    bytes: () => postgresBytes(url),
  };
}

/** One that was interrupted goes on. */
async function fill(
  { index, takePlace }: Rebuild,
  { hosts, reports, intervalSeconds }: Filling,
): Promise<void> {
  const fleet = makeFleet({ hosts, intervalSeconds });
  let applying = Promise.resolve();
  let batch: Segment[] = [];
  let made = 0;
  /** The next ones are made while these are written. */
  const flush = async () => {
    await applying;
    const known = await index.appliedOf(batch.map(({ key }) => key));
    const segments = batch.filter(({ key }) => !known.has(key));
    batch = [];
    if (segments.length > 0) applying = index.apply(segments);
    // Told when it is waited for.
    applying.catch(() => {});
  };
  for (const segment of segmentsOf(fleet.next(reports), reportsPerSegment)) {
    batch.push(segment);
    if (batch.length === segmentsAtOnce) await flush();
    const lines = Math.floor(made / reportsPerLine);
    made += segment.reports.length;
    if (Math.floor(made / reportsPerLine) > lines) console.log(`filled with ${number(made)} reports`);
  }
  await flush();
  await applying;
  await index.setMark('filled');
  await index.finish();
  await takePlace();
}
