/** What a request holds, it lets go of: each event of a subscription begins anew. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { everyone } from './auth/identity.ts';
import { makeContext, type Services } from './context.ts';
import { readerOf } from './index/reader-methods.ts';

/** An index that answers nothing, and keeps the signals that it was asked with. */
function openServices(queryTimeoutMs: number) {
  const signals: AbortSignal[] = [];
  const reader = readerOf(async () => null);
  const index = {
    ...reader,
    forRequest(signal: AbortSignal) {
      signals.push(signal);
      return reader;
    },
  };
  return { services: { index, queryTimeoutMs } as unknown as Services, signals };
}

test('events of a subscription leave nothing behind on its request', async () => {
  const { services, signals } = openServices(60_000);
  const request = new AbortController();
  const context = makeContext(services, request, everyone);
  for (let event = 0; event < 100; event += 1) {
    context.renew();
    await context.index.ping();
  }
  expect(new Set(signals).size).toBe(100);
  expect(getEventListeners(request.signal, 'abort')).toHaveLength(1);
  request.abort();
  expect(signals.map(({ aborted }) => aborted)).toEqual([...Array(99).fill(false), true]);
});

test('each event has the whole time for itself', async () => {
  const { services, signals } = openServices(20);
  const context = makeContext(services, new AbortController(), everyone);
  await context.index.ping();
  context.renew();
  await context.index.ping();
  const [first, second] = signals;
  await new Promise((resolve) => second?.addEventListener('abort', resolve));
  expect(first?.aborted).toBe(false);
  expect(second?.reason).toMatchObject({ extensions: { code: 'QUERY_TIMEOUT' } });
});
