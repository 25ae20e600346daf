import { expect, test } from 'vitest';
import { hostStatus } from './host-status.ts';

const now = Date.UTC(2026, 4, 1);
const minute = 60_000;
const day = 24 * 60 * minute;

test.each([
  [60, 0, 'ONLINE'],
  [60, 3 * minute, 'ONLINE'],
  [60, 3 * minute + 1, 'LATE'],
  [60, 20 * minute, 'LATE'],
  [60, 20 * minute + 1, 'OFFLINE'],
  [3600, 2 * 60 * minute, 'ONLINE'],
  [3600, 2 * 60 * minute + minute + 1, 'LATE'],
  [3600, 10 * 60 * minute + 10 * minute + 1, 'OFFLINE'],
  [null, day, 'ONLINE'],
  [null, day + 1, 'LATE'],
  [null, 7 * day + 1, 'OFFLINE'],
  // One that reports once a quarter is not late in between.
  [90 * 24 * 3600, 31 * day, 'ONLINE'],
])('with an interval of %s s, silent for %s ms: %s', (intervalSeconds, silentMs, status) => {
  expect(hostStatus({ intervalSeconds, lastSeenAt: now - silentMs }, now)).toBe(status);
});
