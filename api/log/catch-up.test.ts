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
import { encodeReport, encodeSegment } from './segment.ts';
import { segmentKey } from './segment-key.ts';
import type { StoredReport } from './stored-report.ts';

async function open() {
  const folder = await temporaryFolder();
  const bucket = await openFolderBucket(join(folder, 'bucket'));
  const index = openSqliteIndex({
    file: join(folder, 'index.db'),
    bucket: 'here',
    plugins: await loadBuiltinPlugins(),
  });
  return { bucket, index };
}

let number = 0;
async function put(bucket: Bucket, reports: StoredReport[]): Promise<string> {
  const uuid = `0198f3a0-0000-7000-8000-${String(number++).padStart(12, '0')}`;
  const key = segmentKey(reports[0]?.receivedAt ?? '', uuid);
  await bucket.put(key, await encodeSegment(reports.map(encodeReport)));
  return key;
}

const at = (receivedAt: string) => storedReport({ receivedAt });
/** An hour after the last segment of these tests. */
const now = () => Date.parse('2026-05-01T21:00:00Z');
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
  expect(await catchUp({ bucket, index, onCorrupt: unexpected, now })).toEqual({ segments: 20, reports: 40 });
  expect(await count(index)).toBe(40);
  expect(await catchUp({ bucket, index, onCorrupt: unexpected, now })).toEqual({ segments: 0, reports: 0 });
});

test('finds a segment that landed late, within the overlap, and lists no more than it must', async () => {
  const { bucket, index } = await open();
  await put(bucket, [at('2026-05-01T05:00:00.000Z')]);
  await put(bucket, [at('2026-05-01T20:00:00.000Z')]);
  await catchUp({ bucket, index, onCorrupt: unexpected, now });
  await put(bucket, [at('2026-05-01T19:10:00.000Z')]);
  const listed: (string | undefined)[] = [];
  const watched: Bucket = {
    ...bucket,
    list(options) {
      listed.push(options?.after);
      return bucket.list(options);
    },
  };
  expect(await catchUp({ bucket: watched, index, onCorrupt: unexpected, now })).toEqual({
    segments: 1,
    reports: 1,
  });
  expect(listed).toEqual(['reports/date=2026-05-01/hour=19/']);
});

test('what is written meanwhile does not hide a gap before it', async () => {
  const { bucket, index } = await open();
  await catchUp({ bucket, index, onCorrupt: unexpected, now: () => Date.parse('2026-05-01T01:00:00Z') });
  // These were put while the index was down, and this one, live, when it was up again.
  for (const hour of ['02', '03', '06']) await put(bucket, [at(`2026-05-01T${hour}:00:00.000Z`)]);
  const live = [at('2026-05-01T20:30:00.000Z')];
  await index.apply({ key: await put(bucket, live), reports: live });
  expect(await catchUp({ bucket, index, onCorrupt: unexpected, now })).toEqual({ segments: 3, reports: 3 });
});

test('a segment dated ahead by a wrong clock hides nothing that comes after it', async () => {
  const { bucket, index } = await open();
  await put(bucket, [at('2026-05-03T00:00:00.000Z')]);
  await catchUp({ bucket, index, onCorrupt: unexpected, now });
  await put(bucket, [at('2026-05-01T20:59:00.000Z')]);
  expect(await catchUp({ bucket, index, onCorrupt: unexpected, now })).toEqual({ segments: 1, reports: 1 });
});

test('a corrupt segment that is mended later is taken, however long it took', async () => {
  const { bucket, index } = await open();
  const report = at('2026-05-01T05:00:00.000Z');
  const key = await put(bucket, [report]);
  await bucket.put(key, Buffer.from('damaged'));
  await put(bucket, [at('2026-05-01T20:00:00.000Z')]);
  const ignored = () => {};
  await catchUp({ bucket, index, onCorrupt: ignored, now });
  await bucket.put(key, await encodeSegment([encodeReport(report)]));
  const muchLater = () => Date.parse('2026-06-01T00:00:00Z');
  expect(await catchUp({ bucket, index, onCorrupt: ignored, now: muchLater })).toEqual({
    segments: 1,
    reports: 1,
  });
});

test('a report that lies in two segments is counted once', async () => {
  const { bucket, index } = await open();
  const report = at('2026-05-01T12:00:00.000Z');
  await put(bucket, [report]);
  await put(bucket, [report]);
  await catchUp({ bucket, index, onCorrupt: unexpected, now });
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
  await catchUp({ bucket, index, onCorrupt: (failure) => told.push(failure.message), now });
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
  await expect(catchUp({ bucket: failing, index, onCorrupt: unexpected, now })).rejects.toThrow('away');
  expect(await count(index)).toBe(1);
  expect(await catchUp({ bucket, index, onCorrupt: unexpected, now })).toEqual({ segments: 2, reports: 2 });
});

test('ends between two segments when it is told to stop, and goes on the next time', async () => {
  const { bucket, index } = await open();
  for (const hour of ['10', '11', '12']) await put(bucket, [at(`2026-05-01T${hour}:00:00.000Z`)]);
  const stopping = new AbortController();
  const stopped = catchUp({
    bucket,
    index,
    onCorrupt: unexpected,
    now,
    onProgress: () => stopping.abort(new Error('told to stop')),
    signal: stopping.signal,
  });
  await expect(stopped).rejects.toThrow('told to stop');
  expect(await count(index)).toBe(1);
  expect(await catchUp({ bucket, index, onCorrupt: unexpected, now })).toEqual({ segments: 2, reports: 2 });
});
