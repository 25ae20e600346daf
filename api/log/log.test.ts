import { expect, test } from 'vitest';
import { result, storedReport } from '../../test/support/reports.ts';
import type { BucketWriter } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { type Log, openLog } from './log.ts';
import { decodeSegment, type Segment } from './segment.ts';

/** A bucket whose puts wait until the test lets each through, or fails it. */
function gatedBucket() {
  const puts: { key: string; body: Uint8Array; gate: PromiseWithResolvers<void> }[] = [];
  const waiting: (() => void)[] = [];
  const bucket: BucketWriter = {
    put(key, body) {
      const gate = Promise.withResolvers<void>();
      puts.push({ key, body, gate });
      waiting.shift()?.();
      return gate.promise;
    },
    async delete() {},
  };
  /** The next put that has begun. */
  async function nextPut() {
    if (puts.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    const put = puts.shift();
    if (!put) throw new Error('no put');
    const { reports } = await decodeSegment(put.key, put.body);
    return { key: put.key, ids: reports.map(({ id }) => id), gate: put.gate };
  }
  return { bucket, nextPut };
}

function open(bucket: BucketWriter): { log: Log; applied: Segment[] } {
  const applied: Segment[] = [];
  let number = 0;
  const makeId = () => `0198f3a0-0000-7000-8000-${String(number++).padStart(12, '0')}`;
  const onSegment = async (segment: Segment) => {
    applied.push(segment);
  };
  return { log: openLog({ bucket, makeId, onSegment }), applied };
}

/** Whether a promise is settled by now, all callbacks that could run having run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test('a report is acknowledged only once its segment is put', async () => {
  const { bucket, nextPut } = gatedBucket();
  const { log, applied } = open(bucket);
  const report = storedReport();
  const acknowledged = log.append(report);
  const put = await nextPut();
  expect(await isSettled(acknowledged)).toBe(false);
  expect(applied).toEqual([]);
  put.gate.resolve();
  await acknowledged;
  expect(applied).toEqual([{ key: put.key, reports: [report] }]);
});

test('what arrives during a put becomes one segment together', async () => {
  const { bucket, nextPut } = gatedBucket();
  const { log } = open(bucket);
  const reports = Array.from({ length: 6 }, () => storedReport());
  const [first, ...others] = reports;
  const all = reports.map((report) => log.append(report));
  const one = await nextPut();
  expect(one.ids).toEqual([first?.id]);
  one.gate.resolve();
  const two = await nextPut();
  expect(two.ids).toEqual(others.map(({ id }) => id));
  two.gate.resolve();
  await Promise.all(all);
});

test('a segment never straddles an hour', async () => {
  const { bucket, nextPut } = gatedBucket();
  const { log } = open(bucket);
  const at = (receivedAt: string) => storedReport({ receivedAt });
  const reports = [
    at('2026-05-01T09:00:00.000Z'),
    at('2026-05-01T10:59:59.999Z'),
    at('2026-05-01T11:00:00.000Z'),
  ];
  const all = reports.map((report) => log.append(report));
  for (const [index, hour] of ['09', '10', '11'].entries()) {
    const put = await nextPut();
    expect(put.key).toContain(`/hour=${hour}/`);
    expect(put.ids).toEqual([reports[index]?.id]);
    put.gate.resolve();
  }
  await Promise.all(all);
});

test('a put that fails is told to its own reports, and the next segment goes on', async () => {
  const { bucket, nextPut } = gatedBucket();
  const { log, applied } = open(bucket);
  const [lost, kept] = [storedReport(), storedReport()];
  const failing = log.append(lost);
  const going = log.append(kept);
  (await nextPut()).gate.reject(new Failure('UNAVAILABLE', 'bucket is away'));
  await expect(failing).rejects.toThrow('bucket is away');
  (await nextPut()).gate.resolve();
  await going;
  expect(applied.flatMap(({ reports }) => reports)).toEqual([kept]);
});

test('close waits for what is under way and refuses the rest', async () => {
  const { bucket, nextPut } = gatedBucket();
  const { log } = open(bucket);
  const acknowledged = log.append(storedReport());
  const closed = log.close();
  await expect(log.append(storedReport())).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
  const put = await nextPut();
  expect(await isSettled(closed)).toBe(false);
  put.gate.resolve();
  await Promise.all([acknowledged, closed]);
});

test('a segment is bounded in bytes as in reports, so that any reader can hold it', async () => {
  const { bucket, nextPut } = gatedBucket();
  const { log } = open(bucket);
  const large = () => storedReport({ results: [result('any', 'x'.repeat(6 * 1024 * 1024))] });
  const reports = [storedReport(), large(), large(), large()];
  const all = reports.map((report) => log.append(report));
  const sizes: number[] = [];
  while (sizes.reduce((sum, size) => sum + size, 0) < reports.length) {
    const put = await nextPut();
    sizes.push(put.ids.length);
    put.gate.resolve();
  }
  await Promise.all(all);
  expect(sizes).toEqual([1, 2, 1]);
});

test('one report that is larger than the bound is a segment of its own', async () => {
  const { bucket, nextPut } = gatedBucket();
  const { log } = open(bucket);
  const acknowledged = log.append(storedReport({ results: [result('any', 'x'.repeat(20 * 1024 * 1024))] }));
  (await nextPut()).gate.resolve();
  await acknowledged;
});

test('what is durable is acknowledged, also when nobody could make use of it', async () => {
  const put = async () => {};
  const log = openLog({
    bucket: { put, delete: put },
    makeId: () => '0198f3a0-0000-7000-8000-000000000001',
    onSegment: () => Promise.reject(new Error('index is down')),
  });
  await log.append(storedReport());
});
