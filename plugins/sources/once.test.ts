import { expect, test } from 'vitest';
import { once } from './once.ts';

test('asks once for each key, and again when the key changes', async () => {
  const cache = new Map<string, unknown>();
  let asked = 0;
  const ask = async () => ++asked;
  expect(await once(cache, 'a', ask)).toBe(1);
  expect(await once(cache, 'a', ask)).toBe(1);
  expect(await once(cache, 'b', ask)).toBe(2);
  expect(await once(cache, 'a', ask, 'changed')).toBe(3);
  expect(await once(cache, 'a', ask, 'changed')).toBe(3);
});

test('null is an answer, a failure is not', async () => {
  const cache = new Map<string, unknown>();
  await expect(once(cache, 'a', () => Promise.reject(new Error('not now')))).rejects.toThrow('not now');
  expect(await once(cache, 'a', async () => null)).toBeNull();
  expect(await once(cache, 'a', async () => 1 as number | null)).toBeNull();
});
