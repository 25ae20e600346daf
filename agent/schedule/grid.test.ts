import { expect, test } from 'vitest';
import { seededRandom } from '../../test/support/noise.ts';
import { gridOf, shareOf, tickAfter } from './grid.ts';

const hour = 3_600_000;
const random = seededRandom(11);
/** Version 4 in looks, which is all that matters here. */
const hostId = () =>
  `${[1, 2, 3, 4].map(() =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  )}`;

test('the phases of 10,000 hosts are even over the interval', () => {
  const bins = Array<number>(100).fill(0);
  const hosts = 10_000;
  for (let i = 0; i < hosts; i += 1) {
    const { phaseMs } = gridOf(hostId(), hour, { now: 0, wallNow: 0 });
    const bin = Math.floor((phaseMs / hour) * bins.length);
    bins[bin] = (bins[bin] ?? Number.NaN) + 1;
  }
  const expected = hosts / bins.length;
  const chiSquared = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 99 degrees of freedom: even ones exceed this once in 10,000 times.
  expect(chiSquared).toBeLessThan(160);
  expect(Math.max(...bins)).toBeLessThan(2 * expected);
});

test('the slow plugins of one host have phases of their own', () => {
  const shares = ['hardware', 'packages', 'certificates'].map((name) => shareOf(`one host ${name}`));
  expect(new Set(shares).size).toBe(3);
  for (const share of shares) expect(share >= 0 && share < 1).toBe(true);
});

test('ticks are one interval apart, after any moment the first, and never drift', () => {
  for (let round = 0; round < 20; round += 1) {
    const intervalMs = Math.ceil(random() * 10 * hour);
    const grid = gridOf(hostId(), intervalMs, { now: random() * 1e9, wallNow: random() * 2e12 });
    expect(grid.phaseMs >= 0 && grid.phaseMs < intervalMs).toBe(true);
    const first = tickAfter(grid, random() * 1e9);
    let now = first;
    for (let ticks = 1; ticks < 2_000; ticks += 1) {
      const tick = tickAfter(grid, now);
      expect(tick).toBeGreaterThan(now);
      expect(tick).toBeCloseTo(first + ticks * intervalMs, 2);
      // Work takes any time that is shorter than the interval.
      now = tick + random() * (intervalMs - 1);
    }
  }
});

test('a host is due at the same time of day whenever it was started, whatever its clock counts from', () => {
  const id = hostId();
  const started = [0, 1, 12.5, 90_061, 1e6].map((seconds, i) => {
    const wallNow = Date.UTC(2026, 4, 1) + seconds * 1_000;
    const now = i * 77_777.7;
    return (tickAfter(gridOf(id, hour, { now, wallNow }), now) + wallNow - now) % hour;
  });
  for (const time of started) expect(time).toBeCloseTo(started[0] ?? Number.NaN, 1);
});
