import { expect, test } from 'vitest';
import { faultyBucket } from '../../test/support/faulty-bucket.ts';
import { type MemoryBucket, memoryBucket } from '../../test/support/memory-bucket.ts';
import { type MemorySink, memorySink } from '../../test/support/memory-sink.ts';
import { seededRandom } from '../../test/support/noise.ts';
import { result, storedReport } from '../../test/support/reports.ts';
import type { Bucket, ListOptions } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { type CatchUpOptions, type CatchUpProgress, catchUp } from './catch-up.ts';
import { encodeReport, encodeSegment } from './segment.ts';
import { segmentKey } from './segment-key.ts';
import { encodeLines } from './segment-lines.ts';
import type { StoredReport } from './stored-report.ts';

async function put(bucket: Bucket, reports: StoredReport[]): Promise<string> {
  const key = segmentKey(reports);
  await bucket.put(key, await encodeSegment(reports.map(encodeReport)));
  return key;
}

const at = (receivedAt: string) => storedReport({ receivedAt });
const now = () => Date.parse('2026-05-01T21:00:00Z');
const unexpected = (failure: Failure) => {
  throw failure;
};
const open = () => ({ bucket: memoryBucket(), index: memorySink() });

type Given = Pick<CatchUpOptions, 'bucket' | 'index'> & Partial<CatchUpOptions>;
const follow = (given: Given) => catchUp({ from: 'mark', onCorrupt: unexpected, now, ...given });
const found = (segments: number, reports = segments) => ({ segments, reports, corrupt: [] });

/** The bucket, and what was asked of it. */
function watched(bucket: Bucket) {
  const lists: ListOptions[] = [];
  const gets: string[] = [];
  const watching: Bucket = {
    ...bucket,
    list(options = {}) {
      lists.push(options);
      return bucket.list(options);
    },
    get(key, range) {
      gets.push(key);
      return bucket.get(key, range);
    },
  };
  return { bucket: watching, lists, gets };
}

test('fills an empty index from the whole bucket, and finds nothing new the second time', async () => {
  const { bucket, index } = open();
  for (let hour = 0; hour < 20; hour += 1) {
    const receivedAt = `2026-05-01T${String(hour).padStart(2, '0')}:30:00.000Z`;
    await put(bucket, [at(receivedAt), at(receivedAt)]);
  }
  expect(await follow({ bucket, index })).toEqual(found(20, 40));
  expect(index.reports.size).toBe(40);
  expect(await follow({ bucket, index })).toEqual(found(0));
  expect(await follow({ bucket, index, from: 'start' })).toEqual(found(0));
});

test('from the mark, finds what landed late within two hours, and lists from there', async () => {
  const { bucket, index } = open();
  await put(bucket, [at('2026-05-01T05:00:00.000Z')]);
  await put(bucket, [at('2026-05-01T20:00:00.000Z')]);
  await follow({ bucket, index });
  await put(bucket, [at('2026-05-01T19:10:00.000Z')]);
  const { lists, ...asked } = watched(bucket);
  expect(await follow({ bucket: asked.bucket, index })).toEqual(found(1));
  // The second time as what is merged meanwhile may be missing from one list.
  expect(lists.map(({ after }) => after)).toEqual(Array(2).fill('reports/date=2026-05-01/hour=19/'));
});

test('recent: finds what came in the last ten minutes with one list, and moves no mark', async () => {
  const { bucket, index } = open();
  await put(bucket, [at('2026-05-01T20:30:00.000Z')]);
  await follow({ bucket, index, now: () => Date.parse('2026-05-01T20:31:00Z') });
  const mark = await index.mark();
  await put(bucket, [at('2026-05-01T20:49:59.999Z')]);
  await put(bucket, [at('2026-05-01T20:50:00.000Z')]);
  await put(bucket, [at('2026-05-01T20:59:59.000Z')]);
  const { lists, ...asked } = watched(bucket);
  expect(await follow({ bucket: asked.bucket, index, from: 'recent' })).toEqual(found(2));
  expect(lists).toHaveLength(1);
  expect(await index.mark()).toBe(mark);
  expect(await follow({ bucket, index })).toEqual(found(1));
});

test('what is written meanwhile does not hide a gap before it', async () => {
  const { bucket, index } = open();
  await follow({ bucket, index, now: () => Date.parse('2026-05-01T01:00:00Z') });
  // These were put while the index was down, and this one, live, when it was up again.
  for (const hour of ['02', '03', '06']) await put(bucket, [at(`2026-05-01T${hour}:00:00.000Z`)]);
  const live = [at('2026-05-01T20:30:00.000Z')];
  await index.apply([{ key: await put(bucket, live), reports: live }]);
  expect(await follow({ bucket, index })).toEqual(found(3));
});

test('start: finds what lies before the mark', async () => {
  const { bucket, index } = open();
  await follow({ bucket, index });
  await put(bucket, [at('2026-05-01T05:00:00.000Z')]);
  expect(await follow({ bucket, index })).toEqual(found(0));
  expect(await follow({ bucket, index, from: 'start' })).toEqual(found(1));
  expect(await index.mark()).toBe('reports/date=2026-05-01/hour=19/');
});

test('a segment dated ahead by a wrong clock hides nothing that comes after it', async () => {
  const { bucket, index } = open();
  await put(bucket, [at('2026-05-03T00:00:00.000Z')]);
  await follow({ bucket, index });
  await put(bucket, [at('2026-05-01T20:59:00.000Z')]);
  expect(await follow({ bucket, index })).toEqual(found(1));
});

test('what was received before the horizon is left alone, in whole hours', async () => {
  const { bucket, index } = open();
  const damaged = await put(bucket, [at('2026-05-01T08:00:00.000Z')]);
  bucket.objects.set(damaged, Buffer.from('damaged'));
  await put(bucket, [at('2026-05-01T09:00:00.000Z')]);
  await put(bucket, [at('2026-05-01T10:00:00.000Z')]);
  const notBefore = Date.parse('2026-05-01T09:30:00Z');
  expect(await follow({ bucket, index, from: 'start', notBefore })).toEqual(found(2));
  expect(await index.mark()).toBe('reports/date=2026-05-01/hour=19/');
  const { lists, ...asked } = watched(bucket);
  await follow({ bucket: asked.bucket, index, notBefore });
  await follow({ bucket: asked.bucket, index, from: 'recent', notBefore: now() + 3_600_000 });
  expect(new Set(lists.map(({ after }) => after))).toEqual(
    new Set(['reports/date=2026-05-01/hour=19/', 'reports/date=2026-05-01/hour=22/']),
  );
});

test('a report that lies in two segments counts once, in the copy that was received first', async () => {
  const { bucket, index } = open();
  const report = at('2026-05-01T12:00:00.000Z');
  await put(bucket, [report]);
  await put(bucket, [{ ...report, receivedAt: '2026-05-01T11:59:59.000Z' }]);
  await follow({ bucket, index });
  expect(index.reports.get(report.id)?.receivedAt).toBe(Date.parse('2026-05-01T11:59:59Z'));
});

test.each([
  ['cannot be decompressed', () => Buffer.from('damaged')],
  ['has a line that is no report', () => encodeSegment([{ report: at(''), line: '{"format":1}' }])],
])('a segment that %s is told of once and set aside; the rest is taken', async (_what, damage) => {
  const { bucket, index } = open();
  await put(bucket, [at('2026-05-01T10:00:00.000Z')]);
  const bad = await put(bucket, [at('2026-05-01T11:00:00.000Z')]);
  await bucket.put(bad, await damage());
  await put(bucket, [at('2026-05-01T12:00:00.000Z')]);
  await bucket.put('reports/date=2026-05-01/hour=12/README.txt', Buffer.from('not ours'));
  const told: Failure[] = [];
  const { corrupt, ...done } = await follow({ bucket, index, onCorrupt: (failure) => told.push(failure) });
  expect(done).toEqual({ segments: 2, reports: 2 });
  expect(index.reports.size).toBe(2);
  expect(told).toEqual([expect.objectContaining({ kind: 'CORRUPT', message: expect.stringContaining(bad) })]);
  expect(corrupt).toEqual(told);
  expect(await index.mark()).toBe('reports/date=2026-05-01/hour=11/');
});

test('a corrupt segment that is mended later is taken, however long it took', async () => {
  const { bucket, index } = open();
  const report = at('2026-05-01T05:00:00.000Z');
  const key = await put(bucket, [report]);
  await bucket.put(key, Buffer.from('damaged'));
  await put(bucket, [at('2026-05-01T20:00:00.000Z')]);
  await follow({ bucket, index, onCorrupt: () => {} });
  await put(bucket, [report]);
  const muchLater = () => Date.parse('2026-06-01T00:00:00Z');
  expect(await follow({ bucket, index, now: muchLater })).toEqual(found(1));
});

test('a bucket that fails half way fails the pass after what was read, and the next one goes on', async () => {
  const { bucket, index } = open();
  const keys: string[] = [];
  for (const hour of ['10', '11', '12']) keys.push(await put(bucket, [at(`2026-05-01T${hour}:00:00.000Z`)]));
  const failing: Bucket = {
    ...bucket,
    get: (key) => (key === keys[1] ? Promise.reject(new Failure('UNAVAILABLE', 'away')) : bucket.get(key)),
  };
  await expect(follow({ bucket: failing, index })).rejects.toThrow('away');
  expect([...index.applied]).toEqual([keys[0]]);
  expect(await index.mark()).toBeNull();
  expect(await follow({ bucket, index })).toEqual(found(2));
});

test('however often the bucket fails, passes come to an end with everything', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const memory = memoryBucket({ pageSize: 3 });
    const index = memorySink();
    for (let minute = 10; minute < 40; minute += 1)
      await put(memory, [at(`2026-05-01T10:${minute}:00.000Z`)]);
    const shares = { errors: 0.1, slow: 0.3, partialLists: 0.2, goneBetween: 0.05 };
    const bucket = faultyBucket(memory, { random: seededRandom(seed), ...shares });
    let passes = 0;
    while ((await index.mark()) !== 'reports/date=2026-05-01/hour=19/') {
      passes += 1;
      expect(passes, `seed ${seed}`).toBeLessThan(200);
      await follow({ bucket, index }).catch((cause) => expect(cause.kind).toBe('UNAVAILABLE'));
    }
    expect(index.reports.size, `seed ${seed}`).toBe(30);
  }
});

test('several small segments are one transaction, in order and none in parts', async () => {
  const { bucket, index } = open();
  const keys: string[] = [];
  for (const size of [800, 800, 300, 200, 3000, 1, 1]) {
    const receivedAt = `2026-05-01T10:0${keys.length}:00.000Z`;
    keys.push(
      await put(
        bucket,
        Array.from({ length: size }, () => at(receivedAt)),
      ),
    );
  }
  await follow({ bucket, index });
  // 1900 reports, as 2100 were too many; then 200; then what alone is too large.
  expect(index.bulks).toEqual([3, 1, 1, 2]);
  expect([...index.applied]).toEqual(keys);
});

test('large segments are not gathered beyond 8 MiB of text', async () => {
  const { bucket, index } = open();
  const large = () => result('any', 'x'.repeat(3 * 1024 * 1024));
  for (const minute of ['01', '02', '03', '04', '05']) {
    const report = storedReport({ receivedAt: `2026-05-01T10:${minute}:00.000Z`, results: [large()] });
    // As merged segments are written, their text's size is in their head.
    const line = Buffer.from(encodeReport(report).line);
    await bucket.put(
      segmentKey([report]),
      await encodeLines([{ id: '', hostId: '', receivedAt: 0, line }], 1),
    );
  }
  await follow({ bucket, index });
  expect(index.bulks).toEqual([2, 2, 1]);
});

test('reads ahead, but not more than eight segments', async () => {
  const { bucket, index } = open();
  for (let minute = 10; minute < 50; minute += 1) await put(bucket, [at(`2026-05-01T10:${minute}:00.000Z`)]);
  let [reading, most] = [0, 0];
  const counting: Bucket = {
    ...bucket,
    async get(key) {
      reading += 1;
      most = Math.max(most, reading);
      await new Promise((resolve) => setImmediate(resolve));
      reading -= 1;
      return bucket.get(key);
    },
  };
  expect(await follow({ bucket: counting, index })).toEqual(found(40));
  expect(most).toBe(8);
});

test('tells the whole from the beginning, and comes to it', async () => {
  const { bucket, index } = open();
  for (let day = 10; day < 30; day += 1) {
    const receivedAt = `2026-04-${day}T10:00:00.000Z`;
    await put(
      bucket,
      Array.from({ length: 600 }, () => at(receivedAt)),
    );
  }
  const known = [at('2026-04-01T10:00:00.000Z')];
  await index.apply([{ key: await put(bucket, known), reports: known }]);
  const told: CatchUpProgress[] = [];
  await follow({ bucket, index, from: 'start', onProgress: (progress) => told.push(progress) });
  const bytes = [...bucket.objects].reduce(
    (sum, [key, body]) => sum + (index.applied.has(key) ? body.length : 0),
    0,
  );
  expect(told.map(({ segments }) => segments)).toEqual([3, 6, 9, 12, 15, 18, 20]);
  expect(new Set(told.map(({ of }) => of.segments))).toEqual(new Set([20]));
  const last = told.at(-1);
  expect(last).toEqual({
    segments: 20,
    reports: 12_000,
    bytes: last?.of.bytes,
    of: { segments: 20, bytes: expect.any(Number) },
  });
  expect(last?.bytes).toBeLessThan(bytes);
});

/** Merges segments as compaction does: the new one first. */
async function merge(bucket: MemoryBucket, reports: StoredReport[], sources: string[]): Promise<void> {
  await put(bucket, reports);
  for (const key of sources) await bucket.delete(key);
}

/** Does something once, right before the nth segment is read. */
function beforeGet(bucket: Bucket, nth: number, work: () => Promise<void>): Bucket {
  let gets = 0;
  return {
    ...bucket,
    async get(key, range) {
      gets += 1;
      if (gets === nth) await work();
      return bucket.get(key, range);
    },
  };
}

const three = ['10', '20', '30'].map((minute) => at(`2026-05-01T10:${minute}:00.000Z`));

test('segments that are merged between list and get are found in the same pass', async () => {
  const { bucket, index } = open();
  const keys: string[] = [];
  for (const report of three) keys.push(await put(bucket, [report]));
  const merging = beforeGet(bucket, 2, () => merge(bucket, three, keys));
  await follow({ bucket: merging, index });
  expect(index.reports.size).toBe(3);
  expect(await index.mark()).toBe('reports/date=2026-05-01/hour=19/');
});

test('so they are where the first of them was applied before, and the list had passed the place of the new one', async () => {
  const bucket = memoryBucket({ pageSize: 1 });
  const index = memorySink();
  const keys: string[] = [];
  for (const report of three) keys.push(await put(bucket, [report]));
  const [first] = three;
  await index.apply([{ key: keys[0] ?? '', reports: first ? [first] : [] }]);
  let lists = 0;
  const merging: Bucket = {
    ...bucket,
    async *list(options) {
      lists += 1;
      const isSecond = lists === 2;
      for await (const object of bucket.list(options)) {
        yield object;
        if (isSecond) await merge(bucket, three, keys);
      }
    },
  };
  expect(await follow({ bucket: merging, index })).toEqual(found(1, 3));
  expect(index.reports.size).toBe(3);
});

test('a segment that is gone for good, as by a rule of the store, holds nothing up', async () => {
  const { bucket, index } = open();
  const keys: string[] = [];
  for (const report of three) keys.push(await put(bucket, [report]));
  const losing = beforeGet(bucket, 2, () => bucket.delete(keys[1] ?? ''));
  expect(await follow({ bucket: losing, index })).toEqual(found(2));
  expect(await index.mark()).toBe('reports/date=2026-05-01/hour=19/');
});

test('where segments vanish again and again the pass ends, and the mark stays before them', async () => {
  const { bucket, index } = open();
  const keys: string[] = [];
  for (const report of three) keys.push(await put(bucket, [report]));
  await put(bucket, [at('2026-05-01T12:00:00.000Z')]);
  const { gets, ...asked } = watched(bucket);
  const vanishing: Bucket = {
    ...asked.bucket,
    get: async (key) => ((await asked.bucket.get(key)) && key === keys[1] ? null : bucket.get(key)),
  };
  expect(await follow({ bucket: vanishing, index })).toEqual(found(3));
  expect(gets.filter((key) => key === keys[1])).toHaveLength(6);
  expect(await index.mark()).toBe('reports/date=2026-05-01/hour=10/');
  expect(await follow({ bucket, index })).toEqual(found(1));
});

/** An index that refuses segments. */
function refusing(index: MemorySink, cause: (keys: string[]) => unknown): MemorySink {
  return {
    ...index,
    async apply(segments) {
      const refusal = cause(segments.map(({ key }) => key));
      if (refusal) throw refusal;
      return index.apply(segments);
    },
  };
}

test('a segment that the index cannot take is told of, and keeps no other out', async () => {
  const { bucket, index } = open();
  const keys: string[] = [];
  for (const report of three) keys.push(await put(bucket, [report]));
  const bad = keys[1] ?? '';
  const failing = refusing(index, (all) => (all.includes(bad) ? new Error('too odd') : null));
  const { corrupt, ...done } = await follow({ bucket, index: failing, onCorrupt: () => {} });
  expect(done).toEqual({ segments: 2, reports: 2 });
  expect(corrupt.map(({ message }) => message)).toEqual([`index cannot take segment ${bad}: too odd`]);
  expect(await index.mark()).toBe('reports/date=2026-05-01/hour=10/');
  expect(await follow({ bucket, index })).toEqual(found(1));
});

test('an index that is away, or takes nothing at all, fails the pass and blames no segment', async () => {
  for (const cause of [new Failure('UNAVAILABLE', 'away'), new Error('a bug')]) {
    const { bucket, index } = open();
    for (let minute = 10; minute < 40; minute += 1)
      await put(bucket, [at(`2026-05-01T10:${minute}:00.000Z`)]);
    const blamed: Failure[] = [];
    const failing = refusing(index, () => cause);
    const pass = follow({ bucket, index: failing, onCorrupt: (failure) => blamed.push(failure) });
    await expect(pass).rejects.toBe(cause);
    expect(blamed.length).toBeLessThan(10);
    expect(await index.mark()).toBeNull();
  }
});

test('ends between two transactions when it is told to stop, and goes on the next time', async () => {
  const { bucket, index } = open();
  for (const hour of ['10', '11', '12']) {
    await put(
      bucket,
      Array.from({ length: 3000 }, () => at(`2026-05-01T${hour}:00:00.000Z`)),
    );
  }
  const stopping = new AbortController();
  const stopped = follow({
    bucket,
    index,
    onProgress: () => stopping.abort(new Error('told to stop')),
    signal: stopping.signal,
  });
  await expect(stopped).rejects.toThrow('told to stop');
  expect(index.applied.size).toBe(1);
  expect(await follow({ bucket, index })).toEqual(found(2, 6000));
});

test.each(['get', 'list'] as const)(
  'ends at once when it is told to stop while a %s hangs',
  async (hanging) => {
    const { bucket, index } = open();
    await put(bucket, [at('2026-05-01T10:00:00.000Z')]);
    const stopping = new AbortController();
    const hang = () => {
      setImmediate(() => stopping.abort(new Error('told to stop')));
      return new Promise<never>(() => {});
    };
    const hung: Bucket =
      hanging === 'get'
        ? { ...bucket, get: hang }
        : { ...bucket, list: () => ({ [Symbol.asyncIterator]: () => ({ next: hang }) }) };
    await expect(follow({ bucket: hung, index, signal: stopping.signal })).rejects.toThrow('told to stop');
  },
);
