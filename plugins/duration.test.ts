import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

test.each([
  ['500ms', 500],
  ['60s', 60_000],
  ['1.5s', 1_500],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['2d', 172_800_000],
  [30, 30_000],
  [0.5, 500],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '60', 's', '5 m', '-5s', '1h30m', '5M', Number.NaN, -1, Number.POSITIVE_INFINITY])(
  '%j is no length of time',
  (text) => {
    expect(parseDuration(text)).toBeNull();
  },
);

test.each([
  [0, '0ms'],
  [500, '500ms'],
  [60_000, '1m'],
  [90_000, '90s'],
  [86_400_000, '1d'],
])('%i ms is shown as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
