import { expect, test } from 'vitest';
import { createClock } from './clock.ts';

test('time goes on while the machine sleeps, and is never set back', () => {
  const at = { running: 5_000, sinceBoot: 100_000 };
  const clock = createClock({ running: () => at.running, sinceBoot: () => at.sinceBoot });
  const start = clock.now();
  at.running += 10_000.25;
  at.sinceBoot += 10_000;
  expect(clock.now() - start).toBe(10_000.25);
  // Eight hours, of which the running time knows nothing.
  at.sinceBoot += 8 * 3_600_000;
  const awake = clock.now();
  expect(awake - start).toBeCloseTo(10_000.25 + 8 * 3_600_000, -1);
  at.running += 1_000;
  at.sinceBoot += 1_000;
  expect(clock.now() - awake).toBe(1_000);
  // What is only rounding counts for nothing, in either direction.
  at.sinceBoot += 900;
  expect(clock.now() - awake).toBe(1_000);
  at.sinceBoot -= 1_800;
  expect(clock.now() - awake).toBe(1_000);
  at.sinceBoot -= 10 * 3_600_000;
  expect(clock.now() - awake).toBe(1_000);
});

test('the machine itself tells a time that goes on', async () => {
  const clock = createClock();
  const before = clock.now();
  await clock.sleep(5, new AbortController().signal);
  expect(clock.now()).toBeGreaterThan(before);
  const stop = new AbortController();
  const asleep = clock.sleep(3_600_000, stop.signal);
  stop.abort(new Error('told to stop'));
  await expect(asleep).rejects.toThrow();
});
