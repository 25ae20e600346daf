import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type MemoryBucket, memoryBucket } from '../../test/support/memory-bucket.ts';
import { memorySink } from '../../test/support/memory-sink.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import type { Bucket } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { catchUp } from './catch-up.ts';
import { type CompactOptions, type CompactProgress, compact } from './compact.ts';
import { encodeReport, encodeSegment } from './segment.ts';
import { segmentKey } from './segment-key.ts';
import type { StoredReport } from './stored-report.ts';

const now = () => Date.parse('2026-05-01T12:00:00Z');
const unexpected = (failure: Failure) => {
  throw failure;
};
const merge = (given: Pick<CompactOptions, 'bucket'> & Partial<CompactOptions>) =>
  compact({ now, onCorrupt: unexpected, ...given });

let made = 0;
/** @param time of May 1st, 2026 */
function at(time: string, overrides: Partial<StoredReport> = {}): StoredReport {
  made += 1;
  const id = `0198f3a0-0000-7000-8000-${String(made).padStart(12, '0')}`;
  return storedReport({ id, receivedAt: `2026-05-01T${time}Z`, ...overrides });
}
/** About a kilobyte of text. */
const kilobyte = (time: string) => at(time, { results: [result('any', 'x'.repeat(700))] });

async function put(bucket: Bucket, ...reports: StoredReport[]): Promise<string> {
  const key = segmentKey(reports);
  await bucket.put(key, await encodeSegment(reports.map(encodeReport)));
  return key;
}

function linesOf(bucket: MemoryBucket, key: string): string[] {
  const body = bucket.objects.get(key) ?? Buffer.from('');
  const text = (key.endsWith('.gz') ? gunzipSync(body) : zstdDecompressSync(body)).toString('utf8');
  return text.split('\n').slice(0, -1);
}
const idsIn = (bucket: MemoryBucket, key: string) => linesOf(bucket, key).map((line) => JSON.parse(line).id);
const keysOf = (bucket: MemoryBucket) => [...bucket.objects.keys()].sort();

/** The bucket, and what was done to it in order. */
function watched(bucket: Bucket) {
  const done: string[] = [];
  const watching: Bucket = {
    ...bucket,
    async put(key, body) {
      await bucket.put(key, body);
      done.push(`put ${key}`);
    },
    async delete(key) {
      await bucket.delete(key);
      done.push(`delete ${key}`);
    },
    async get(key, range) {
      done.push(`get ${range ? 'head of ' : ''}${key}`);
      return bucket.get(key, range);
    },
  };
  return { bucket: watching, done };
}

test('the segments of a past hour become one, sorted by host and time', async () => {
  const bucket = memoryBucket();
  const host = (number: number) => ({ host: { id: hostId(number), name: 'host', labels: {} } });
  const reports = [
    at('05:10:00.000', host(2)),
    at('05:20:00.000', host(1)),
    at('05:30:00.000', host(2)),
    at('05:40:00.000', host(1)),
  ];
  for (const report of reports) await put(bucket, report);
  const before = [...bucket.objects.values()].reduce((sum, { length }) => sum + length, 0);
  const done = await merge({ bucket });
  const [key = '', ...others] = keysOf(bucket);
  expect(others).toEqual([]);
  expect(key).toBe(segmentKey(reports));
  const sorted = [1, 3, 0, 2].map((index) => reports[index] ?? at(''));
  expect(linesOf(bucket, key)).toEqual(sorted.map((report) => encodeReport(report).line));
  expect(done).toEqual({
    hours: 1,
    merged: 4,
    written: 1,
    reports: 4,
    copies: 0,
    bytesBefore: before,
    bytesAfter: bucket.objects.get(key)?.length,
    corrupt: [],
  });
});

test('only hours that ended two hours ago are touched, and none across hours', async () => {
  const bucket = memoryBucket();
  for (const hour of ['08', '09', '10', '11']) {
    for (const minute of ['10', '20']) await put(bucket, at(`${hour}:${minute}:00.000`));
  }
  expect(await merge({ bucket, now: () => Date.parse('2026-05-01T11:59:59.999Z') })).toMatchObject({
    hours: 1,
  });
  expect(await merge({ bucket })).toMatchObject({ hours: 1, written: 1, merged: 2 });
  const hours = keysOf(bucket).map((key) => key.slice(24, 31));
  expect(hours).toEqual(['hour=08', 'hour=09', 'hour=10', 'hour=10', 'hour=11', 'hour=11']);
});

test('since: hours before that are left alone, and that one is taken whole', async () => {
  const bucket = memoryBucket();
  for (const hour of ['05', '06']) {
    for (const minute of ['10', '50']) await put(bucket, at(`${hour}:${minute}:00.000`));
  }
  expect(await merge({ bucket, since: Date.parse('2026-05-01T06:30:00Z') })).toMatchObject({ merged: 2 });
  expect(keysOf(bucket)).toHaveLength(3);
});

test('a second pass writes and deletes nothing, and reads at most heads', async () => {
  const bucket = memoryBucket();
  const targetBytes = 20_000;
  for (let minute = 10; minute < 55; minute += 1) await put(bucket, kilobyte(`05:${minute}:00.000`));
  expect(await merge({ bucket, targetBytes })).toMatchObject({ hours: 1, written: 3, reports: 45 });
  const { done, ...again } = watched(bucket);
  expect(await merge({ bucket: again.bucket, targetBytes })).toMatchObject({
    hours: 0,
    merged: 0,
    written: 0,
  });
  expect(done.every((each) => each.startsWith('get head of'))).toBe(true);
});

test('an hour larger than the target becomes parts of more than half of it, and one rest', async () => {
  const bucket = memoryBucket();
  const targetBytes = 20_000;
  for (let minute = 10; minute < 55; minute += 1) await put(bucket, kilobyte(`05:${minute}:00.000`));
  await merge({ bucket, targetBytes });
  const sizes = keysOf(bucket).map((key) =>
    linesOf(bucket, key).reduce((sum, line) => sum + line.length + 1, 0),
  );
  expect(sizes).toHaveLength(3);
  for (const size of sizes) expect(size).toBeLessThanOrEqual(targetBytes);
  for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThan(targetBytes / 2);
});

test('full parts stay as they are when something small comes to the hour', async () => {
  const bucket = memoryBucket();
  const targetBytes = 20_000;
  for (let minute = 10; minute < 55; minute += 1) await put(bucket, kilobyte(`05:${minute}:00.000`));
  await merge({ bucket, targetBytes });
  const full = keysOf(bucket).slice(0, 2);
  const late = kilobyte('05:59:59.000');
  await put(bucket, late);
  const { done, ...again } = watched(bucket);
  expect(await merge({ bucket: again.bucket, targetBytes })).toMatchObject({ merged: 2, written: 1 });
  expect(keysOf(bucket).slice(0, 2)).toEqual(full);
  expect(done).not.toContain(`get ${full[0]}`);
});

test('a copy is dropped for the one that counts: received first, then the line that sorts first', async () => {
  const bucket = memoryBucket();
  const host = (name: string) => ({ host: { id: hostId(1), name, labels: {} } });
  const late = at('05:20:00.000', host('late'));
  const early = { ...late, receivedAt: '2026-05-01T05:10:00.000Z', ...host('early') };
  const other = at('05:30:00.000', host('b'));
  const same = { ...other, ...host('a') };
  await put(bucket, late, at('05:01:00.000'));
  await put(bucket, early);
  await put(bucket, other, at('05:02:00.000'));
  await put(bucket, same);
  expect(await merge({ bucket })).toMatchObject({ reports: 4, copies: 2 });
  const lines = linesOf(bucket, keysOf(bucket)[0] ?? '').map((line) => JSON.parse(line));
  expect(lines.map(({ host: { name } }) => name).sort()).toEqual(['a', 'early', 'web-1', 'web-1']);
});

test('ids that differ in case are of one report, as for the index', async () => {
  const bucket = memoryBucket();
  const report = at('05:10:00.000', { id: '0198f3a0-0000-7000-8000-00000000abcd' });
  await put(bucket, report);
  await put(bucket, { ...report, id: report.id.toUpperCase(), receivedAt: '2026-05-01T05:20:00.000Z' });
  await merge({ bucket });
  expect(keysOf(bucket).flatMap((key) => idsIn(bucket, key))).toEqual([report.id]);
});

test('a line goes through byte for byte, with what only a newer version knows', async () => {
  const bucket = memoryBucket();
  const line = `${JSON.stringify(at('05:10:00.000')).slice(0, -1)},"tomorrow": {"ü😀":1e2} }`;
  await bucket.put(segmentKey([JSON.parse(line)]), await encodeSegment([{ report: at(''), line }]));
  await put(bucket, at('05:20:00.000'));
  await merge({ bucket });
  expect(linesOf(bucket, keysOf(bucket)[0] ?? '')).toContain(line);
});

test('segments of older versions become of this one', async () => {
  const bucket = memoryBucket();
  const reports = [at('05:10:00.000'), at('05:20:00.000')];
  for (const report of reports) {
    await bucket.put(segmentKey([report]).replace('.zst', '.gz'), gzipSync(`${JSON.stringify(report)}\n`));
  }
  await merge({ bucket });
  expect(keysOf(bucket)).toEqual([segmentKey(reports)]);
});

test('what cannot be read is told of once, and stays; the rest is merged', async () => {
  const bucket = memoryBucket();
  const damaged = await put(bucket, at('05:10:00.000'));
  bucket.objects.set(damaged, Buffer.from('damaged'));
  const odd = segmentKey([at('05:15:00.000')]);
  bucket.objects.set(odd, await encodeSegment([{ report: at(''), line: '{"format":2}' }]));
  bucket.objects.set('reports/date=2026-05-01/hour=05/notes.txt', Buffer.from('not ours'));
  const reports = [at('05:20:00.000'), at('05:30:00.000')];
  for (const report of reports) await put(bucket, report);
  const told: Failure[] = [];
  const done = await merge({ bucket, onCorrupt: (failure) => told.push(failure) });
  expect(done).toMatchObject({ merged: 2, written: 1 });
  expect(told.map(({ kind, message }) => [kind, message])).toEqual([
    ['CORRUPT', expect.stringContaining(damaged)],
    ['CORRUPT', expect.stringContaining(odd)],
  ]);
  expect(done.corrupt).toEqual(told);
  expect(keysOf(bucket)).toEqual(
    [damaged, odd, segmentKey(reports), 'reports/date=2026-05-01/hour=05/notes.txt'].sort(),
  );
});

test('a segment that lies in the folder of another hour is left where it is', async () => {
  const bucket = memoryBucket();
  const strayed = (await put(bucket, at('04:10:00.000'))).replace('hour=04', 'hour=05');
  for (const [key, body] of bucket.objects) bucket.objects.set(key.replace('hour=04', 'hour=05'), body);
  await bucket.delete(strayed.replace('hour=05', 'hour=04'));
  for (const minute of ['10', '20']) await put(bucket, at(`05:${minute}:00.000`));
  await merge({ bucket });
  expect(keysOf(bucket)).toHaveLength(2);
  expect(keysOf(bucket)).toContain(strayed);
});

test('the part is put and read back before the first source is deleted', async () => {
  const bucket = memoryBucket();
  const sources = [await put(bucket, at('05:10:00.000')), await put(bucket, at('05:20:00.000'))];
  const { done, ...merging } = watched(bucket);
  await merge({ bucket: merging.bucket });
  const [part = ''] = keysOf(bucket);
  expect(done.slice(done.indexOf(`put ${part}`))).toEqual([
    `put ${part}`,
    `get ${part}`,
    ...sources.map((key) => `delete ${key}`),
  ]);
});

test('a source that has the part’s own name is not deleted', async () => {
  const bucket = memoryBucket();
  const reports = [at('05:10:00.000'), at('05:20:00.000')];
  const whole = await put(bucket, ...reports);
  for (const report of reports.slice(1)) await put(bucket, report);
  expect(await merge({ bucket })).toMatchObject({ merged: 2, written: 1, copies: 1 });
  expect(keysOf(bucket)).toEqual([whole]);
});

test.each([
  ['before the part is put', 0, 20],
  ['after the part, before the first delete', 1, 21],
  ['among the deletes', 6, 16],
])('a pass that dies %s is completed by the next', async (_when, changes, left) => {
  for (const targetBytes of [2 ** 20, 24_000]) {
    const bucket = memoryBucket();
    const all: string[] = [];
    for (let minute = 10; minute < 30; minute += 1) {
      const report = kilobyte(`05:${minute}:00.000`);
      all.push(report.id);
      await put(bucket, report);
    }
    let done = 0;
    const die = async (work: () => Promise<void>) => {
      done += 1;
      if (done > changes) throw new Failure('UNAVAILABLE', 'died');
      await work();
    };
    const dying: Bucket = {
      ...bucket,
      put: (key, body) => die(() => bucket.put(key, body)),
      delete: (key) => die(() => bucket.delete(key)),
    };
    await expect(merge({ bucket: dying, targetBytes })).rejects.toThrow('died');
    expect(keysOf(bucket)).toHaveLength(left);
    // With the smaller target the part is a full one, which is not merged without need.
    await merge({ bucket, targetBytes });
    const ids = keysOf(bucket).flatMap((key) => idsIn(bucket, key));
    expect(ids.sort()).toEqual(all.sort());
    expect(keysOf(bucket)).toHaveLength(1);
  }
});

test('when a source vanishes someone else is at work: the hour is left to them, others are not', async () => {
  const bucket = memoryBucket();
  const keys: string[] = [];
  for (const minute of ['10', '20', '30']) keys.push(await put(bucket, at(`05:${minute}:00.000`)));
  for (const minute of ['10', '20']) await put(bucket, at(`06:${minute}:00.000`));
  const vanishing: Bucket = {
    ...bucket,
    async get(key, range) {
      if (key === keys[1]) await bucket.delete(key);
      return bucket.get(key, range);
    },
  };
  expect(await merge({ bucket: vanishing })).toMatchObject({ hours: 1, merged: 2, written: 1 });
  expect(keysOf(bucket).slice(0, 2)).toEqual([keys[0], keys[2]]);
});

test('nothing is deleted when the store keeps other than it was given', async () => {
  for (const mangle of [
    () => Buffer.from('x'),
    (body: Uint8Array) => body.subarray(1),
    () => new Uint8Array(),
  ]) {
    const bucket = memoryBucket();
    const keys = [await put(bucket, at('05:10:00.000')), await put(bucket, at('05:20:00.000'))];
    const mangling: Bucket = { ...bucket, put: (key, body) => bucket.put(key, mangle(body)) };
    const told: string[] = [];
    const done = await merge({ bucket: mangling, onCorrupt: ({ message }) => told.push(message) });
    expect(done).toMatchObject({ hours: 0, written: 0 });
    expect(keysOf(bucket)).toEqual(expect.arrayContaining(keys));
    expect(told).toEqual([expect.stringMatching(/stored other than it was put; its sources are kept/)]);
  }
});

test('nothing is deleted when the part is another’s with other copies, or gone again', async () => {
  const other = await encodeSegment([at('05:10:00.000'), at('05:20:00.000')].map(encodeReport));
  for (const stored of [other, null]) {
    const bucket = memoryBucket();
    const keys = [await put(bucket, at('05:10:00.000')), await put(bucket, at('05:20:00.000'))];
    const racing: Bucket = {
      ...bucket,
      get: async (key, range) => (keys.includes(key) ? bucket.get(key, range) : stored),
    };
    expect(await merge({ bucket: racing })).toMatchObject({ hours: 0, written: 0, corrupt: [] });
    expect(keysOf(bucket)).toEqual(expect.arrayContaining(keys));
  }
});

test('a part that another process puts meanwhile is not overwritten with copies that count less', async () => {
  const bucket = memoryBucket();
  const [first, late] = [at('05:10:00.000'), at('05:30:00.000')];
  const early = { ...late, receivedAt: '2026-05-01T05:20:00.000Z' };
  const keys = [await put(bucket, first), await put(bucket, late)];
  const racing: Bucket = {
    ...bucket,
    async get(key, range) {
      if (key === keys[0]) await put(bucket, first, early);
      return bucket.get(key, range);
    },
  };
  await merge({ bucket: racing });
  expect(keysOf(bucket).flatMap((key) => linesOf(bucket, key))).toContain(encodeReport(early).line);
});

test('the same lines, compressed otherwise by another version, will do', async () => {
  const bucket = memoryBucket();
  for (const minute of ['10', '20']) await put(bucket, at(`05:${minute}:00.000`));
  const other: Bucket = {
    ...bucket,
    async get(key, range) {
      const body = await bucket.get(key, range);
      if (keysOf(bucket).length < 3 || !body) return body;
      const lines = linesOf(bucket, key).map((line) => ({ report: at(''), line }));
      return encodeSegment(lines, 1);
    },
  };
  await merge({ bucket: other, level: 12 });
  expect(keysOf(bucket)).toHaveLength(1);
});

test('a store that does not delete what it says it deleted holds nothing up, and loses nothing', async () => {
  const bucket = memoryBucket();
  const keys = [await put(bucket, at('05:10:00.000')), await put(bucket, at('05:20:00.000'))];
  await merge({ bucket: { ...bucket, delete: async () => {} } });
  expect(keysOf(bucket)).toHaveLength(3);
  expect(keysOf(bucket)).toEqual(expect.arrayContaining(keys));
});

test('an index that had applied all sources need not read the part; another reads it', async () => {
  const bucket = memoryBucket();
  const [index, behind] = [memorySink(), memorySink()];
  await put(bucket, at('05:10:00.000'));
  await catchUp({ bucket, index: behind, from: 'start', onCorrupt: unexpected, now });
  await put(bucket, at('05:20:00.000'));
  await catchUp({ bucket, index, from: 'start', onCorrupt: unexpected, now });
  await merge({ bucket, index });
  expect([...index.applied]).toEqual(keysOf(bucket));
  const follow = (sink: typeof index) =>
    catchUp({ bucket, index: sink, from: 'start', onCorrupt: unexpected, now });
  expect(await follow(index)).toMatchObject({ segments: 0 });
  expect(await follow(behind)).toMatchObject({ segments: 1 });
  expect(behind.reports.size).toBe(2);
});

test('an index that does not answer stops no merge', async () => {
  const bucket = memoryBucket();
  for (const minute of ['10', '20']) await put(bucket, at(`05:${minute}:00.000`));
  const replaced = () => Promise.reject(new Failure('UNAVAILABLE', 'away'));
  expect(await merge({ bucket, index: { replaced } })).toMatchObject({ written: 1 });
});

test('tells after each part how far it is, and ends there when told to', async () => {
  const bucket = memoryBucket();
  for (const hour of ['05', '06', '07']) {
    for (const minute of ['10', '20']) await put(bucket, at(`${hour}:${minute}:00.000`));
  }
  const stopping = new AbortController();
  const told: CompactProgress[] = [];
  const stopped = merge({
    bucket,
    signal: stopping.signal,
    onProgress(progress) {
      told.push(progress);
      if (told.length === 2) stopping.abort(new Error('told to stop'));
    },
  });
  await expect(stopped).rejects.toThrow('told to stop');
  expect(told.map(({ written, merged, reports }) => [written, merged, reports])).toEqual([
    [1, 2, 2],
    [2, 4, 4],
  ]);
  expect(keysOf(bucket)).toHaveLength(4);
  expect(await merge({ bucket })).toMatchObject({ hours: 1 });
});

test('a bucket that does not answer is UNAVAILABLE', async () => {
  const bucket = memoryBucket();
  for (const minute of ['10', '20']) await put(bucket, at(`05:${minute}:00.000`));
  const failure = new Failure('UNAVAILABLE', 'away');
  for (const failing of ['get', 'put', 'delete'] as const) {
    const away: Bucket = { ...bucket, [failing]: () => Promise.reject(failure) };
    await expect(merge({ bucket: away }), failing).rejects.toBe(failure);
  }
});
