/** A statement ends with its request, also one that only begins when the request is given up. */

import type { Pool, PoolClient } from 'pg';
import { expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { cancellingPool, inRequest } from './postgres-requests.ts';

test('is cancelled until it ends, and not after its connection went to another', async () => {
  const cancelled: unknown[] = [];
  const released: unknown[] = [];
  const client = { processID: 7, release: () => void released.push(7) } as unknown as PoolClient;
  const pool = { connect: async () => client } as unknown as Pool;
  const spare = {
    query: async (_text: string, [processId]: unknown[]) => void cancelled.push(processId),
  } as unknown as Pool;
  const request = new AbortController();
  const connected = Promise.withResolvers<PoolClient>();
  const asked = inRequest(request.signal, async () => {
    connected.resolve(await cancellingPool(pool, spare).connect());
    // The statement is on its way, and the cancellation overtakes it.
    return new Promise(() => {});
  });
  const own = await connected.promise;
  request.abort(new Error('given up'));
  await expect(asked).rejects.toThrow('given up');
  await eventually('it is cancelled again', () => cancelled.length >= 3);
  expect(new Set(cancelled)).toEqual(new Set([7]));
  expect(released).toEqual([]);
  own.release();
  await eventually('the connection is free', () => released.length === 1);
  const until = cancelled.length;
  await new Promise(setImmediate);
  expect(cancelled).toHaveLength(until);
});
