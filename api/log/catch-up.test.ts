import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { storedReport } from '../../test/support/reports.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { Bucket } from '../bucket/bucket.ts';
import { openFolderBucket } from '../bucket/folder-bucket.ts';
import { Failure } from '../failure.ts';
import type { IndexStore } from '../index/index-store.ts';
import { openSqliteIndex } from '../index/sqlite-index.ts';
import { catchUp } from './catch-up.ts';
import { encodeSegment } from './segment.ts';
import { segmentKey } from './segment-key.ts';
import type { StoredReport } from './stored-report.ts';

async function open() {
  const folder = await temporaryFolder();
  const bucket = await openFolderBucket(join(folder, 'bucket'));
  const index = openSqliteIndex({ file: join(folder, 'index.db'), plugins: await loadBuiltinPlugins() });
  return { bucket, index };
}

let number = 0;
async function put(bucket: Bucket, reports: StoredReport[]): Promise<string> {
  const uuid = `0198f3a0-0000-7000-8000-${String(number++).padStart(12, '0')}`;
  const key = segmentKey(reports[0]?.receivedAt ?? '', uuid);
  await bucket.put(key, await encodeSegment(reports));
  return key;
}

const at = (receivedAt: string) => storedReport({ receivedAt });
const unexpected = (failure: Failure) => {
  throw failure;
};
const count = (index: IndexStore) => index.countReports(null);

test('fills an empty index from the whole bucket, and finds nothing new the second time', async () => {
  const { bucket, index } = await open();
  for (let hour = 0; hour < 20; hour += 1) {
    const receivedAt = `2026-05-01T${String(hour).padStart(2, '0')}:30:00.000Z`;
    await put(bucket, [at(receivedAt), at(receivedAt)]);
  }
  expect(await catchUp({ bucket, index, onCorrupt: unexpected })).toEqual({ segments: 20, reports: 40 });
  expect(await count(index)).toBe(40);
  expect(await catchUp({ bucket, index, onCorrupt: unexpected })).toEqual({ segments: 0, reports: 0 });
});

test('finds a segment that landed late, within the overlap', async () => {
  const { bucket, index } = await open();
  await put(bucket, [at('2026-05-01T12:00:00.000Z')]);
  await catchUp({ bucket, index, onCorrupt: unexpected });
  await put(bucket, [at('2026-05-01T10:10:00.000Z')]);
  await put(bucket, [at('2026-05-01T12:05:00.000Z')]);
  expect(await catchUp({ bucket, index, onCorrupt: unexpected })).toEqual({ segments: 2, reports: 2 });
});

test('a report that lies in two segments is counted once', async () => {
  const { bucket, index } = await open();
  const report = at('2026-05-01T12:00:00.000Z');
  await put(bucket, [report]);
  await put(bucket, [report]);
  await catchUp({ bucket, index, onCorrupt: unexpected });
  expect(await count(index)).toBe(1);
});

test('passes over a corrupt segment, says so, and takes the rest', async () => {
  const { bucket, index } = await open();
  await put(bucket, [at('2026-05-01T10:00:00.000Z')]);
  const bad = await put(bucket, [at('2026-05-01T11:00:00.000Z')]);
  await bucket.put(bad, Buffer.from('damaged'));
  await put(bucket, [at('2026-05-01T12:00:00.000Z')]);
  await bucket.put('reports/date=2026-05-01/hour=12/README.txt', Buffer.from('not ours'));
  const told: string[] = [];
  await catchUp({ bucket, index, onCorrupt: (failure) => told.push(failure.message) });
  expect(await count(index)).toBe(2);
  expect(told).toEqual([expect.stringContaining(bad)]);
});

test('a bucket that fails half way fails the catch-up, and the next one goes on from there', async () => {
  const { bucket, index } = await open();
  const keys: string[] = [];
  for (const hour of ['10', '11', '12']) keys.push(await put(bucket, [at(`2026-05-01T${hour}:00:00.000Z`)]));
  const failing: Bucket = {
    ...bucket,
    get: (key) => (key === keys[1] ? Promise.reject(new Failure('UNAVAILABLE', 'away')) : bucket.get(key)),
  };
  await expect(catchUp({ bucket: failing, index, onCorrupt: unexpected })).rejects.toThrow('away');
  expect(await count(index)).toBe(1);
  expect(await catchUp({ bucket, index, onCorrupt: unexpected })).toEqual({ segments: 2, reports: 2 });
});

test('ends between two segments when it is told to stop, and goes on the next time', async () => {
  const { bucket, index } = await open();
  for (const hour of ['10', '11', '12']) await put(bucket, [at(`2026-05-01T${hour}:00:00.000Z`)]);
  const stopping = new AbortController();
  const stopped = catchUp({
    bucket,
    index,
    onCorrupt: unexpected,
    onProgress: () => stopping.abort(new Error('told to stop')),
    signal: stopping.signal,
  });
  await expect(stopped).rejects.toThrow('told to stop');
  expect(await count(index)).toBe(1);
  expect(await catchUp({ bucket, index, onCorrupt: unexpected })).toEqual({ segments: 2, reports: 2 });
});
