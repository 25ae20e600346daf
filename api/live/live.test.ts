import { describe, expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { Failure } from '../failure.ts';
import { makeAnnouncements } from '../index/announcements.ts';
import { openLive } from './live.ts';

/** A hub, what comes in, and how many listen to the index. */
function openHub() {
  const { tell, onReports } = makeAnnouncements();
  const errors: unknown[] = [];
  let listening = 0;
  const index = {
    onReports: async (listener: (ids: string[]) => void) => {
      const stop = await onReports(listener);
      listening += 1;
      return async () => {
        listening -= 1;
        await stop();
      };
    },
  };
  const live = openLive({ index, onError: (cause) => errors.push(cause) });
  return { live, tell, errors, listening: () => listening };
}

const whole = (rows: string[]) => ({ rows, goesOn: false });
const echo = { key: 'echo', ask: async (ids: string[]) => whole(ids) };
const take = async (rows: AsyncIterator<string>, count: number) => {
  const taken: string[] = [];
  while (taken.length < count) taken.push((await rows.next()).value);
  return taken;
};
const ids = (count: number, from = 0) => Array.from({ length: count }, (_, number) => `${from + number}`);

describe('live', () => {
  test('hands on what a question finds, in order', async () => {
    const { live, tell } = openHub();
    const even = {
      key: 'even',
      ask: async (asked: string[]) => whole(asked.filter((id) => Number(id) % 2 === 0)),
    };
    const [all, some] = [await live.subscribe(echo), await live.subscribe(even)];
    tell(ids(3));
    tell(ids(3, 3));
    expect(await take(all, 6)).toEqual(ids(6));
    expect(await take(some, 3)).toEqual(['0', '2', '4']);
  });

  test('the same question is asked once, and of many reports at a time', async () => {
    const { live, tell } = openHub();
    const asked: number[] = [];
    const first = Promise.withResolvers<void>();
    const question = {
      key: 'slow',
      async ask(reports: string[]) {
        asked.push(reports.length);
        await first.promise;
        return whole(reports);
      },
    };
    const subscribers = await Promise.all([1, 2, 3].map(() => live.subscribe(question)));
    for (const id of ids(100)) tell([id]);
    first.resolve();
    for (const rows of subscribers) expect(await take(rows, 100)).toEqual(ids(100));
    expect(asked).toEqual([1, 99]);
  });

  test('one who does not read is cut off, and costs the others nothing', async () => {
    const { live, tell } = openHub();
    const [reader, sleeper] = [await live.subscribe(echo), await live.subscribe(echo)];
    for (let from = 0; from < 3_000; from += 300) {
      tell(ids(300, from));
      expect(await take(reader, 300)).toEqual(ids(300, from));
    }
    await expect(sleeper.next()).rejects.toMatchObject({ extensions: { code: 'SUBSCRIBER_TOO_SLOW' } });
    expect(await sleeper.next()).toEqual({ value: undefined, done: true });
  });

  test('who reads at once is never cut off, however much one report tells', async () => {
    const { live, tell } = openHub();
    const parts = 5;
    const question = {
      key: 'parts',
      async ask([id]: string[], after: string | null) {
        const part = after === null ? 0 : Number(after.split('.')[1]) + 1;
        const rows = ids(1_500).map((number) => `${id}-${number}.${part}`);
        return { rows, goesOn: part + 1 < parts };
      },
    };
    const rows = await live.subscribe(question);
    tell(['a']);
    const told = await take(rows, 1_500 * parts);
    expect(new Set(told).size).toBe(told.length);
    expect(told.at(-1)).toBe(`a-1499.${parts - 1}`);
  });

  test('one who does not read holds up nobody, and nothing is asked for it that would only wait', async () => {
    const { live, tell } = openHub();
    let asked = 0;
    const question = {
      key: 'counted',
      async ask(reports: string[]) {
        asked += reports.length;
        return whole(reports);
      },
    };
    const sleeper = await live.subscribe(question);
    const reader = await live.subscribe(echo);
    for (let from = 0; from < 10_000; from += 100) {
      tell(ids(100, from));
      expect(await take(reader, 100)).toEqual(ids(100, from));
    }
    expect(asked).toBeLessThan(1_000);
    // Who comes now hears what comes from now on, and neither waits for the sleeper nor hears what that has not.
    const late = await live.subscribe(question);
    tell(['new']);
    expect(await take(late, 1)).toEqual(['new']);
    for (let from = 10_000; from < 30_000; from += 100) tell(ids(100, from));
    await expect(sleeper.next()).rejects.toMatchObject({ extensions: { code: 'SUBSCRIBER_TOO_SLOW' } });
    expect(await sleeper.next()).toEqual({ value: undefined, done: true });
  });

  test('listens to the index only while somebody listens to it', async () => {
    const { live, listening } = openHub();
    const [first, second] = [await live.subscribe(echo), await live.subscribe(echo)];
    expect(listening()).toBe(1);
    const waiting = first.next();
    await first.return?.();
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(listening()).toBe(1);
    await second.return?.();
    await eventually('nobody listens', () => listening() === 0);
    await live.subscribe(echo);
    expect(listening()).toBe(1);
    await live.close();
    expect(listening()).toBe(0);
  });

  test('an index that fails for a moment is asked again; one that goes on failing ends the subscription', async () => {
    const { live, tell, errors } = openHub();
    let failures = 1;
    const question = {
      key: 'failing',
      async ask(asked: string[]) {
        failures -= 1;
        if (failures >= 0) throw new Failure('UNAVAILABLE', 'restarting');
        return whole(asked);
      },
    };
    const rows = await live.subscribe(question);
    tell(['0']);
    expect(await take(rows, 1)).toEqual(['0']);
    failures = Number.POSITIVE_INFINITY;
    tell(['1']);
    await expect(rows.next()).rejects.toThrow('restarting');
    expect(errors).toHaveLength(1);
  });

  test('closing ends all, and no more are taken', async () => {
    const { live } = openHub();
    const rows = await live.subscribe(echo);
    const waiting = rows.next();
    await live.close();
    expect(await waiting).toEqual({ value: undefined, done: true });
    await expect(live.subscribe(echo)).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
  });

  test('there is a bound on how many there are', async () => {
    const { live } = openHub();
    const all = [];
    for (let number = 0; number < 1_000; number += 1) all.push(await live.subscribe(echo));
    await expect(live.subscribe(echo)).rejects.toMatchObject({ extensions: { code: 'UNAVAILABLE' } });
    await all[0]?.return?.();
    await live.subscribe(echo);
  });
});
