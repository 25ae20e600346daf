import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('doubles up to the cap', () => {
  const longest = [1, 2, 3, 8, 9, 10, 1_000].map((failures) => backoffMs(failures, 1, null));
  expect(longest).toEqual([1_000, 2_000, 4_000, 128_000, 256_000, 300_000, 300_000]);
});

test('takes any moment of it, also once it is capped', () => {
  const waits = [0, 0.25, 0.5, 0.999].map((random) => backoffMs(50, random, null));
  expect(waits).toEqual([0, 75_000, 150_000, 299_700]);
});

test('what the API asked for is waited for first, and hosts still come back apart', () => {
  expect(backoffMs(1, 0, 30_000)).toBe(30_000);
  expect(backoffMs(50, 0.5, 30_000)).toBe(180_000);
});

test('they come apart over as long as it asked for, though it is the first failure', () => {
  const waits = [0, 0.25, 0.5, 0.999].map((random) => backoffMs(1, random, 20_000));
  expect(waits).toEqual([20_000, 25_000, 30_000, 39_980]);
  expect(backoffMs(1, 1, 60 * 60_000)).toBe(65 * 60_000);
});
