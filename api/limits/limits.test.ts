import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { everyone } from '../auth/identity.ts';
import type { RateLimit } from '../settings/limits.ts';
import { networkOf, slotOf } from './address-slot.ts';
import { makeLimits } from './limits.ts';

const perMinute = (most: number): RateLimit => ({ most, perSeconds: 60 });
const none = { operationLimit: null, reportLimit: null, addressLimit: null };
const token = { ...everyone, kind: 'token' as const, id: 'one' };
const host = (id: string) => ({ ...everyone, id, narrowedTo: { hostId: id, labels: null } });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('as many operations as an identity may have in a window, then none until it is over', async () => {
  const limits = makeLimits({ ...none, operationLimit: perMinute(3) });
  for (let number = 0; number < 3; number += 1) expect(await limits.takeOperation(token)).toBeNull();
  await vi.advanceTimersByTimeAsync(20_500);
  const refused = { message: 'too many operations: 3 in a minute are allowed', retryAfterSeconds: 40 };
  expect(await limits.takeOperation(token)).toEqual(refused);
  expect(await limits.takeOperation({ ...token, id: 'another' })).toBeNull();
  expect(await limits.takeReports(token, 1_000)).toEqual({ granted: 1_000, refused: null });
  await vi.advanceTimersByTimeAsync(39_500);
  expect(await limits.takeOperation(token)).toBeNull();
});

test('a window may be a second', async () => {
  const limits = makeLimits({ ...none, operationLimit: { most: 1, perSeconds: 1 } });
  expect(await limits.takeOperation(token)).toBeNull();
  expect(await limits.takeOperation(token)).toEqual({
    message: 'too many operations: 1 in a second are allowed',
    retryAfterSeconds: 1,
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await limits.takeOperation(token)).toBeNull();
});

test('of reports that come together those are taken that fit', async () => {
  const limits = makeLimits({ ...none, reportLimit: perMinute(10) });
  const refused = { message: 'too many reports: 10 in a minute are allowed', retryAfterSeconds: 60 };
  expect(await limits.takeReports(token, 7)).toEqual({ granted: 7, refused: null });
  expect(await limits.takeReports(token, 7)).toEqual({ granted: 3, refused });
  expect(await limits.takeReports(token, 7)).toEqual({ granted: 0, refused });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await limits.takeReports(token, 10)).toEqual({ granted: 10, refused: null });
});

test('who is bound to one host may do a hundredth of what others may', async () => {
  const limits = makeLimits({ ...none, reportLimit: perMinute(1_000), operationLimit: perMinute(150) });
  expect((await limits.takeReports(token, 1_000)).granted).toBe(1_000);
  expect((await limits.takeReports(host('a'), 1_000)).granted).toBe(10);
  expect((await limits.takeReports(host('b'), 1_000)).granted).toBe(10);
  const refusals = [];
  for (let number = 0; number < 3; number += 1) refusals.push(await limits.takeOperation(host('a')));
  expect(refusals).toEqual([null, null, expect.objectContaining({ retryAfterSeconds: 60 })]);
  const byLabel = { ...token, narrowedTo: { hostId: null, labels: { site: 'a' } } };
  expect((await limits.takeReports({ ...byLabel, id: 'c' }, 1_000)).granted).toBe(1_000);
});

test('requests count by address, and wrong credentials by themselves', async () => {
  const limits = makeLimits({ ...none, addressLimit: perMinute(100) });
  const wrong = async (count: number, address: string) => {
    let last = null;
    for (let number = 0; number < count; number += 1) last = await limits.countFailedCredentials(address);
    return last;
  };
  expect(await wrong(60, '192.0.2.1')).toBeNull();
  expect(await wrong(1, '192.0.2.1')).toEqual({
    message: 'too many wrong credentials: 60 in a minute are allowed',
    retryAfterSeconds: 60,
  });
  expect(await limits.takeRequest('192.0.2.1')).toBeNull();
  const few = makeLimits({ ...none, addressLimit: { most: 1, perSeconds: 60 } });
  expect(await few.countFailedCredentials('192.0.2.1')).toBeNull();
  expect(await few.countFailedCredentials('192.0.2.1')).toMatchObject({
    message: expect.stringContaining(': 1 in a minute'),
  });
  expect(await few.takeRequest('2001:db8::1')).toBeNull();
  expect(await few.takeRequest('2001:db8:0:0:ffff::2')).toMatchObject({ retryAfterSeconds: 60 });
});

test('off is no limit', async () => {
  const limits = makeLimits(none);
  for (let number = 0; number < 1_000; number += 1) {
    expect(await limits.takeOperation(token)).toBeNull();
    expect(await limits.takeRequest('192.0.2.1')).toBeNull();
    expect(await limits.countFailedCredentials('192.0.2.1')).toBeNull();
  }
});

describe('addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
    ['a pipe', 'a pipe'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  test('a million of them take no more slots than there are', () => {
    const slots = new Set<string>();
    for (let number = 0; number < 1_000_000; number += 1)
      slots.add(slotOf(`2001:db8:${(number >> 16).toString(16)}:${(number & 0xffff).toString(16)}::1`));
    expect(slots.size).toBeLessThanOrEqual(65_536);
    // Evenly, so that strangers rarely meet.
    expect(slots.size).toBeGreaterThan(65_000);
  });
});
