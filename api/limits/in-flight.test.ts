import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { openTurn } from './event-loop-turn.ts';
import { openInFlight } from './in-flight.ts';

const request = () => ({}) as IncomingMessage;

test('so many are worked on, and each that ends makes room, once', () => {
  const inFlight = openInFlight({ maxInFlight: 2, turnMs: () => 0 });
  const first = inFlight.take(request(), true);
  expect(inFlight.take(request(), true)).not.toBeNull();
  expect(inFlight.take(request(), true)).toBeNull();
  first?.end();
  first?.end();
  expect(inFlight.working()).toBe(1);
  expect(inFlight.take(request(), true)).not.toBeNull();
  expect(inFlight.take(request(), true)).toBeNull();
});

test('bodies on their way have room of their own, and take a place when they are here', () => {
  const inFlight = openInFlight({ maxInFlight: 2, turnMs: () => 0 });
  const coming = Array.from({ length: 8 }, () => inFlight.take(request(), false));
  expect(coming).not.toContain(null);
  expect(inFlight.take(request(), false)).toBeNull();
  const whole = inFlight.take(request(), true);
  expect(whole).not.toBeNull();
  coming[0]?.arrived();
  coming[0]?.arrived();
  expect(inFlight.working()).toBe(2);
  expect(inFlight.take(request(), true)).toBeNull();
  for (const flight of coming) flight?.end();
  whole?.end();
  expect(inFlight.working()).toBe(0);
});

test('bodies have room in bytes; one that is larger than all of it has its turn alone', () => {
  const inFlight = openInFlight({ maxInFlight: 100, maxBodyBytes: 1_000, turnMs: () => 0 });
  const first = inFlight.take(request(), true);
  expect(first?.grow(600)).toBe(true);
  const second = inFlight.take(request(), true);
  expect(second?.grow(500)).toBe(false);
  expect(inFlight.take(request(), true)).toBeNull();
  second?.end();
  expect(inFlight.take(request(), true)?.grow(400)).toBe(true);
  first?.end();
  const alone = openInFlight({ maxInFlight: 100, maxBodyBytes: 1_000, turnMs: () => 0 });
  const large = alone.take(request(), true);
  expect(large?.grow(5_000)).toBe(true);
  expect(alone.take(request(), true)).toBeNull();
  large?.end();
  expect(large?.grow(5_000)).toBe(true);
  expect(alone.take(request(), true)?.grow(1_000)).toBe(true);
});

test('in a turn of the event loop that has lasted long no more is begun, but for a few', () => {
  let turnMs = 0;
  const inFlight = openInFlight({ maxInFlight: 80, maxTurnMs: 100, turnMs: () => turnMs });
  const take = () => inFlight.take(request(), true) !== null;
  expect(Array.from({ length: 30 }, take)).not.toContain(false);
  turnMs = 101;
  expect(take()).toBe(false);
  turnMs = 0;
  expect(take()).toBe(true);
  const few = openInFlight({ maxInFlight: 80, maxTurnMs: 100, turnMs: () => 101 });
  const taken = Array.from({ length: 30 }, () => few.take(request(), true) !== null);
  expect(taken.filter(Boolean)).toHaveLength(10);
});

test('a turn begins when it is first asked about, and is over when the event loop comes round', async () => {
  let now = 1_000;
  const turnMs = openTurn(() => now);
  expect(turnMs()).toBe(0);
  now += 70;
  expect(turnMs()).toBe(70);
  await new Promise((resolve) => setImmediate(resolve));
  expect(turnMs()).toBe(0);
});

test('whoever is refused is told to come again at some moment of ten seconds', () => {
  const secondsAt = (random: number) =>
    openInFlight({ maxInFlight: 1, random: () => random }).retryAfterSeconds();
  expect([0, 0.5, 0.999].map(secondsAt)).toEqual([5, 10, 15]);
});

test('off is any number of them', () => {
  const inFlight = openInFlight({ maxInFlight: null, turnMs: () => 10_000 });
  for (let number = 0; number < 10_000; number += 1) expect(inFlight.take(request(), true)).not.toBeNull();
});
