import { expect, test } from 'vitest';
import { seededRandom } from '../../test/support/noise.ts';
import { type Outcome, without } from '../outcome.ts';
import { backOffMs, createTurns } from './turns.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const wallNow = Date.UTC(2026, 0, 1);
const good: Outcome = { status: 'OK', facts: { a: 1 }, readings: { b: 2 }, error: null };

/** When it is asked among reports each minute that jitter and take their time. */
function asked(intervalMs: number | null, untilMs: number, outcome: () => Outcome): number[] {
  const random = seededRandom(3);
  const turns = createTurns({ key: 'a host', intervalMs, reportIntervalMs: minute });
  const times: number[] = [];
  for (let tick = 0; tick < untilMs; tick += minute) {
    const now = tick + random() * 500;
    const moment = { now, wallNow: wallNow + now };
    if (turns.insteadOf(moment)) continue;
    times.push(now);
    turns.take(outcome(), moment);
  }
  return times;
}

test('a daily plugin is asked at the start and then daily, without drift', () => {
  const times = asked(day, 400 * day, () => good);
  expect(times).toHaveLength(401);
  const [, first = Number.NaN] = times;
  for (const [i, time] of times.slice(1).entries()) {
    const plannedMs = first + i * day;
    expect(Math.abs(time - plannedMs)).toBeLessThanOrEqual(minute + 500);
  }
});

test.each([
  ['none', null],
  ['that of the reports', minute],
  ['a shorter one', 1_000],
])('with an interval of %s a plugin is asked for each report', (_, intervalMs) => {
  expect(asked(intervalMs, 1_000 * minute, () => good)).toHaveLength(1_000);
});

test('back-off doubles in steps of its own, and never beyond an hour', () => {
  expect([1, 2, 3, 4].map((failures) => backOffMs(failures, minute) / minute)).toEqual([1, 2, 4, 8]);
  expect(backOffMs(7, minute)).toBe(60 * minute);
  expect(backOffMs(5_000, minute)).toBe(60 * minute);
  expect(backOffMs(1, day)).toBe(60 * minute);
  const failing = asked(null, 10 * day, () => without('ERROR', 'no sensor'));
  expect(failing.length).toBeLessThan(10 * 24 * 1.2 + 10);
});

test('the reason stays word for word the same until the next try', () => {
  const turns = createTurns({ key: 'a host', intervalMs: null, reportIntervalMs: minute });
  for (let failures = 0; failures < 5; failures += 1) {
    turns.take(without('TIMEOUT', 'took longer than 1s'), { now: 0, wallNow });
  }
  const reasons = [1, 5, 14].map((at) => turns.insteadOf({ now: at * minute, wallNow: 0 }));
  const error = 'failed 5 times, is tried again at 2026-01-01T00:16:00Z; last: took longer than 1s';
  expect(reasons).toEqual(Array(3).fill({ status: 'SKIPPED', facts: null, readings: null, error }));
  expect(turns.insteadOf({ now: 15 * minute, wallNow: 0 })).toBeNull();
});

test('one success forgets all failures', () => {
  const turns = createTurns({ key: 'a host', intervalMs: null, reportIntervalMs: minute });
  const fail = (now: number) => turns.take(without('ERROR', 'x'), { now, wallNow });
  for (const now of [0, 1, 2, 3]) fail(now);
  turns.take(good, { now: 8 * minute, wallNow });
  expect(turns.insteadOf({ now: 8 * minute, wallNow })).toBeNull();
  fail(9 * minute);
  expect(turns.insteadOf({ now: 9 * minute + 1, wallNow })?.error).toMatch(/^failed once/);
});

test('a wall clock that is set changes nothing', () => {
  const turns = createTurns({ key: 'a host', intervalMs: day, reportIntervalMs: minute });
  turns.take(good, { now: 0, wallNow });
  let due = 0;
  while (turns.insteadOf({ now: due, wallNow: wallNow + due })) due += minute;
  for (const set of [0, wallNow * 2]) {
    expect(turns.insteadOf({ now: due - minute, wallNow: set })).toEqual({ ...good, readings: null });
    expect(turns.insteadOf({ now: due, wallNow: set })).toBeNull();
  }
});
