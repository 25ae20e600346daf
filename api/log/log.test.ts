import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Random, seededRandom } from '../../test/support/noise.ts';
import { result, storedReport } from '../../test/support/reports.ts';
import type { BucketWriter } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { type Log, type LogSettings, openLog } from './log.ts';
import { decodeSegment, type Segment } from './segment.ts';
import type { StoredReport } from './stored-report.ts';

// Not setImmediate, by which the tests let everything run that can.
beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

const othersTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

type Put = { key: string; reports: readonly StoredReport[]; ids: string[]; gate: PromiseWithResolvers<void> };

/** A bucket whose puts wait until the test lets each through, or fails it. */
function gatedBucket() {
  const puts: Put[] = [];
  const waiting: (() => void)[] = [];
  const bucket: BucketWriter = {
    async put(key, body) {
      const { reports } = await decodeSegment(key, body);
      const gate = Promise.withResolvers<void>();
      puts.push({ key, reports, ids: reports.map(({ id }) => id), gate });
      waiting.shift()?.();
      return gate.promise;
    },
    async delete() {},
  };
  /** The next put that has begun. */
  async function nextPut(): Promise<Put> {
    if (puts.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    const put = puts.shift();
    if (!put) throw new Error('no put');
    return put;
  }
  return { bucket, nextPut };
}

function open(settings: Partial<LogSettings> = {}) {
  const applied: Segment[] = [];
  const onSegment = async (segment: Segment) => {
    applied.push(segment);
  };
  const { bucket, nextPut } = gatedBucket();
  const log = openLog({ bucket, onSegment, settings });
  /** Appends new reports, and tells their ids. */
  const append = (count: number): { ids: string[]; all: Promise<unknown> } => {
    const reports = Array.from({ length: count }, () => storedReport());
    const all = Promise.all(reports.map((report) => log.append(report)));
    return { ids: reports.map(({ id }) => id), all };
  };
  return { log, append, nextPut, applied };
}

/** Whether a promise is settled by now, all callbacks that could run having run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await othersTurn();
  return settled;
}

test('a report is acknowledged only once its segment is put', async () => {
  const { log, nextPut, applied } = open();
  const report = storedReport();
  const acknowledged = log.append(report);
  const put = await nextPut();
  expect(await isSettled(acknowledged)).toBe(false);
  expect(applied).toEqual([]);
  put.gate.resolve();
  await acknowledged;
  expect(applied).toEqual([{ key: put.key, reports: [report] }]);
});

describe('a batch gathers', () => {
  test('what comes in one tick', async () => {
    const { append, nextPut } = open();
    const { ids } = append(3);
    expect((await nextPut()).ids).toEqual(ids);
  });

  test('what comes during a put', async () => {
    const { append, nextPut } = open();
    const first = append(1);
    const { gate } = await nextPut();
    const second = append(2);
    await othersTurn();
    const third = append(3);
    gate.resolve();
    await first.all;
    expect((await nextPut()).ids).toEqual([...second.ids, ...third.ids]);
  });

  test('what comes within the linger after a put of several began', async () => {
    const { append, nextPut } = open({ lingerMs: 10 });
    const first = append(2);
    (await nextPut()).gate.resolve();
    await first.all;
    await vi.advanceTimersByTimeAsync(4);
    const second = append(1);
    await vi.advanceTimersByTimeAsync(5);
    const third = append(1);
    await vi.advanceTimersByTimeAsync(1);
    expect((await nextPut()).ids).toEqual([...second.ids, ...third.ids]);
  });

  test('nothing after that', async () => {
    const { append, nextPut } = open({ lingerMs: 10 });
    const first = append(2);
    (await nextPut()).gate.resolve();
    await first.all;
    await vi.advanceTimersByTimeAsync(10);
    const { ids } = append(1);
    expect((await nextPut()).ids).toEqual(ids);
  });

  test('nothing after a put of one report, though it were the hundredth', async () => {
    const { append, nextPut } = open({ lingerMs: 60_000 });
    for (let round = 0; round < 100; round += 1) {
      const { ids, all } = append(1);
      const put = await nextPut();
      expect(put.ids).toEqual(ids);
      put.gate.resolve();
      await all;
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  test('not what fills it: that goes at once, beside what is in flight', async () => {
    const { append, nextPut } = open({ maxReports: 2, maxInFlight: 3, lingerMs: 1000 });
    const { ids } = append(7);
    const puts = [await nextPut(), await nextPut(), await nextPut()];
    // They are compressed side by side, so that any may come first.
    expect(new Set(puts.map((put) => put.ids))).toEqual(
      new Set([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4, 6)]),
    );
    // The seventh has room for another.
    const { ids: eighth } = append(1);
    puts[1]?.gate.resolve();
    expect((await nextPut()).ids).toEqual([ids[6], ...eighth]);
  });

  test('no longer than its patience with a put that hangs, which later ones then pass by', async () => {
    const { append, nextPut } = open({ patienceMs: 200 });
    const hanging = append(1);
    await nextPut();
    await vi.advanceTimersByTimeAsync(199);
    const second = append(1);
    const third = append(1);
    await vi.advanceTimersByTimeAsync(1);
    const passing = await nextPut();
    expect(passing.ids).toEqual([...second.ids, ...third.ids]);
    passing.gate.resolve();
    await Promise.all([second.all, third.all]);
    await vi.advanceTimersByTimeAsync(10);
    const fourth = append(1);
    expect((await nextPut()).ids).toEqual(fourth.ids);
    expect(await isSettled(hanging.all)).toBe(false);
  });
});

describe('a segment', () => {
  test('never straddles an hour', async () => {
    const { log, nextPut } = open();
    const at = (receivedAt: string) => storedReport({ receivedAt });
    const reports = [
      at('2026-05-01T09:00:00.000Z'),
      at('2026-05-01T10:59:59.999Z'),
      at('2026-05-01T11:00:00.000Z'),
    ];
    const all = reports.map((report) => log.append(report));
    const idsOfHour: Record<string, string[]> = {};
    for (let left = reports.length; left > 0; left -= 1) {
      const { key, ids, gate } = await nextPut();
      idsOfHour[/hour=(\d\d)/.exec(key)?.[1] ?? key] = ids;
      gate.resolve();
    }
    await Promise.all(all);
    const [nine, ten, eleven] = reports.map(({ id }) => [id]);
    expect(idsOfHour).toEqual({ '09': nine, 10: ten, 11: eleven });
  });

  test('is bounded in bytes, of which a character may take several', async () => {
    const { log, nextPut } = open({ maxBytes: 10_000 });
    const wide = () => storedReport({ results: [result('any', 'ü'.repeat(2000))] });
    const reports = [wide(), wide(), wide(), wide(), wide()];
    for (const report of reports) log.append(report);
    const puts = [await nextPut(), await nextPut()];
    expect(puts.map(({ ids }) => ids.length)).toEqual([2, 2]);
  });

  test('is one report alone when that is larger than the bound', async () => {
    const { log, nextPut } = open({ maxBytes: 10_000, maxPendingBytes: 15_000 });
    const large = storedReport({ results: [result('any', 'x'.repeat(20_000))] });
    const acknowledged = log.append(large);
    const put = await nextPut();
    expect(put.reports).toEqual([large]);
    put.gate.resolve();
    await acknowledged;
  });
});

test('a put that fails is told to its own reports, and the next segment goes on', async () => {
  const { log, nextPut, applied } = open();
  const [lost, kept] = [storedReport(), storedReport()];
  const failing = log.append(lost);
  const put = await nextPut();
  const going = log.append(kept);
  put.gate.reject(new Failure('UNAVAILABLE', 'bucket is away'));
  await expect(failing).rejects.toThrow('bucket is away');
  (await nextPut()).gate.resolve();
  await going;
  expect(applied.flatMap(({ reports }) => reports)).toEqual([kept]);
});

test('past the bound of what may wait, a report is refused with a hint when to send it again', async () => {
  const { log, nextPut } = open({ maxPendingBytes: 10_000, lingerMs: 0 });
  const large = () => storedReport({ results: [result('any', 'x'.repeat(4000))] });
  const taken = [log.append(large()), log.append(large())];
  await expect(log.append(large())).rejects.toMatchObject({ kind: 'UNAVAILABLE', retryAfterSeconds: 10 });
  (await nextPut()).gate.resolve();
  await Promise.all(taken);
  const later = log.append(large());
  (await nextPut()).gate.resolve();
  await later;
});

test('a report that cannot be written fails alone', async () => {
  const { log, append, nextPut } = open();
  const failing = [
    log.append(storedReport({ receivedAt: 'yesterday' })),
    log.append(storedReport({ results: [result('any', 1n)] })),
  ];
  const { ids, all } = append(1);
  for (const one of failing) await expect(one).rejects.toThrow();
  const put = await nextPut();
  expect(put.ids).toEqual(ids);
  put.gate.resolve();
  await all;
});

test('what is made of a segment holds up its own reports, and no put', async () => {
  const { bucket, nextPut } = gatedBucket();
  const applying = Promise.withResolvers<void>();
  const log = openLog({ bucket, onSegment: () => applying.promise });
  const first = log.append(storedReport());
  const second = nextPut().then(({ gate }) => {
    gate.resolve();
    return log.append(storedReport());
  });
  (await nextPut()).gate.resolve();
  expect(await isSettled(Promise.race([first, second]))).toBe(false);
  applying.resolve();
  await Promise.all([first, second]);
});

test.each([
  ['rejects', () => Promise.reject(new Error('index is down'))],
  [
    'throws',
    () => {
      throw new Error('index is down');
    },
  ],
])('what is durable is acknowledged, also when what is told of it %s', async (_how, onSegment) => {
  const done = async () => {};
  const log = openLog({ bucket: { put: done, delete: done }, onSegment });
  await log.append(storedReport());
});

test('close puts what waits without lingering, waits for all of it, and refuses the rest', async () => {
  const { log, append, nextPut } = open({ lingerMs: 60_000 });
  const first = append(2);
  (await nextPut()).gate.resolve();
  await first.all;
  const last = append(1);
  await othersTurn();
  expect(vi.getTimerCount()).toBe(1);
  const closed = log.close();
  await expect(log.append(storedReport())).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
  const put = await nextPut();
  expect(put.ids).toEqual(last.ids);
  expect(vi.getTimerCount()).toBe(0);
  expect(await isSettled(closed)).toBe(false);
  put.gate.resolve();
  await Promise.all([last.all, closed]);
});

describe('whatever comes, and however puts go', () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))('seed %i', async (seed) => {
    const random = seededRandom(seed);
    const upTo = (bound: number) => Math.floor(random() * (bound + 1));
    const settings = {
      lingerMs: upTo(1) * 10,
      maxReports: 1 + upTo(20),
      maxBytes: 2000 + upTo(10_000),
      maxInFlight: 1 + upTo(4),
      patienceMs: 50 + upTo(200),
      maxPendingBytes: 30_000,
    };
    const world = randomWorld(random, settings);
    for (let step = 0; step < 200; step += 1) {
      const action = random();
      if (action < 0.5) for (let left = upTo(6); left > 0; left -= 1) world.append();
      else if (action < 0.7) world.finishPut();
      else await vi.advanceTimersByTimeAsync(upTo(60));
      if (random() < 0.5) await othersTurn();
    }
    while (world.waiting() > 0) {
      world.finishPut();
      await vi.advanceTimersByTimeAsync(upTo(60));
      await othersTurn();
    }
    expect(world.problems).toEqual([]);
    expect(world.outcomes.size).toBeGreaterThan(1);
    expect(vi.getTimerCount()).toBe(0);
    await expectRoomFor(world.log, settings.maxPendingBytes, world.finishPut);
  });

  /** A log with a bucket that answers when it is told to, and holds it to what it promises. */
  function randomWorld(random: Random, settings: LogSettings) {
    const problems: string[] = [];
    const puts: { ids: string[]; gate: PromiseWithResolvers<void> }[] = [];
    const confirmed = new Map<string, number>();
    const outcomes = new Map<string, number>();
    let inFlight = 0;
    let waiting = 0;
    const startAt = performance.now();
    const check = (holds: boolean, what: string) => {
      if (!holds) problems.push(what);
    };
    const bucket: BucketWriter = {
      async put(key, body) {
        inFlight += 1;
        check(inFlight <= settings.maxInFlight, `${inFlight} puts are in flight`);
        const { reports } = await decodeSegment(key, body);
        const ids = reports.map(({ id }) => id);
        const bytes = reports.reduce((sum, report) => sum + bytesOf(report), 0);
        check(ids.length <= settings.maxReports, `${key} has ${ids.length} reports`);
        check(ids.length === 1 || bytes <= settings.maxBytes, `${key} has ${bytes} bytes`);
        check(new Set(reports.map(({ receivedAt }) => receivedAt.slice(0, 13))).size === 1, `${key}: hours`);
        const gate = Promise.withResolvers<void>();
        puts.push({ ids, gate });
        await gate.promise.finally(() => {
          inFlight -= 1;
        });
      },
      async delete() {},
    };
    const log = openLog({ bucket, onSegment: async () => {}, settings });
    const tell = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const failed = new Set<string>();
    return {
      log,
      problems,
      outcomes,
      waiting: () => waiting,
      append() {
        // The hour turns soon; some clocks are a little behind.
        const ms = Date.parse('2026-05-01T10:59:58.000Z') + performance.now() - startAt - 20 * random();
        const facts = 'ü'.repeat(Math.floor(random() ** 8 * 8000));
        const receivedAt = new Date(ms).toISOString();
        const report = storedReport({ receivedAt, results: [result('any', facts)] });
        waiting += 1;
        log
          .append(report)
          .then(
            () => {
              check(
                confirmed.get(report.id) === 1,
                `${report.id} is in ${confirmed.get(report.id)} segments`,
              );
              tell('acknowledged');
            },
            (cause: Failure) => {
              tell(cause.message);
              const isRefused = cause.retryAfterSeconds !== undefined;
              check(isRefused || failed.has(report.id), `${report.id} failed with the put of others`);
              check(!confirmed.has(report.id), `${report.id} failed and is stored`);
            },
          )
          .finally(() => {
            waiting -= 1;
          });
      },
      /** Any of those in flight, and one in five fails. */
      finishPut() {
        const [put] = puts.splice(Math.floor(random() * puts.length), 1);
        if (!put) return;
        if (random() < 0.2) {
          for (const id of put.ids) failed.add(id);
          put.gate.reject(new Failure('UNAVAILABLE', 'bucket is away'));
          return;
        }
        for (const id of put.ids) confirmed.set(id, (confirmed.get(id) ?? 0) + 1);
        put.gate.resolve();
      },
    };
  }

  const bytesOf = (report: StoredReport) => Buffer.byteLength(JSON.stringify(report)) + 1;

  /** Nothing is counted as waiting any more: exactly as much as may wait is taken, and nothing beyond. */
  async function expectRoomFor(log: Log, bytes: number, finishPut: () => void): Promise<void> {
    const small = storedReport();
    const rest = storedReport({ results: [result('any', '')] });
    const [filled] = rest.results;
    if (filled) filled.facts = 'x'.repeat(bytes - bytesOf(small) - bytesOf(rest));
    const settled = Promise.allSettled([log.append(small), log.append(rest)]);
    await expect(log.append(storedReport())).rejects.toMatchObject({ retryAfterSeconds: 10 });
    const closed = log.close();
    while (!(await isSettled(closed))) finishPut();
    for (const { status, ...outcome } of await settled) {
      if (status === 'rejected') expect(outcome).toMatchObject({ reason: { message: 'bucket is away' } });
    }
  }
});
