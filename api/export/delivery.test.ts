/** How exports are handed over: as fast as they are read, so many at a time, and never short without the reader noticing. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import {
  type ExportStoresOptions,
  linesOf,
  numberedReports,
  openExportStores,
} from '../../test/support/export-stores.ts';
import { Failure } from '../failure.ts';
import { maxExports } from './exports.ts';
import { pageSize } from './pages.ts';

const path = '/export/reports.ndjson';
const pages = 6;

/** Reports of many kilobytes each: a page is more than a socket holds. */
async function openFilled(options?: ExportStoresOptions) {
  const stores = await openExportStores(options);
  const agentVersion = 'x'.repeat(100_000);
  for (let page = 0; page < pages; page += 1) {
    const reports = numberedReports(pageSize, page * pageSize);
    await stores.deliver(reports.map((report) => ({ ...report, agentVersion })));
  }
  return stores;
}

function bodyOf({ body, status }: Response) {
  if (!body) throw new Error(`no body, and status ${status}`);
  return body.getReader();
}

async function errorOf(response: Response) {
  const { errors } = (await response.json()) as { errors: { message: string; extensions: unknown }[] };
  return { status: response.status, retryAfter: response.headers.get('retry-after'), error: errors[0] };
}

const unavailable = () => new Failure('UNAVAILABLE', 'cannot reach secret-host');

describe('a slow reader', () => {
  test('has one page held for it, and none asked ahead', async () => {
    const { get, lists } = await openFilled();
    const reader = bodyOf(await get(path));
    let read = 0;
    for (;;) {
      const { value } = await reader.read();
      if (!value) break;
      read += value.reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0);
      // The page that it is in, of which at most one row is waiting to be told whole.
      expect((lists() - 1) * pageSize).toBeLessThanOrEqual(read + 1);
    }
    expect(read).toBe(pages * pageSize);
    // The last tells that there are no more.
    expect(lists()).toBe(pages + 1);
  });

  test('over a socket has no more read than fits its buffers, while others read all', async () => {
    const { listen, lists } = await openFilled();
    const origin = await listen();
    const slow = await fetch(`${origin}${path}`);
    for (let other = 0; other < 2; other += 1) {
      expect(await linesOf(await fetch(`${origin}${path}`))).toHaveLength(pages * pageSize);
    }
    expect(lists() - 2 * (pages + 1)).toBeLessThan(pages - 2);
    expect(await linesOf(slow)).toHaveLength(pages * pageSize);
    expect(lists()).toBe(3 * (pages + 1));
  });

  test('that reads nothing at all is cut off', async () => {
    const { get } = await openFilled({ stalledMs: 20 });
    await expect(bodyOf(await get(path)).closed).rejects.toThrow(/nobody has read for 0.02 s/);
  });
});

test('a reader that goes ends the work for it', async () => {
  const { listen, beforeList } = await openFilled();
  const leaving = new AbortController();
  const response = await fetch(`${await listen()}${path}`, { signal: leaving.signal });
  const begun = Promise.withResolvers<AbortSignal>();
  beforeList((signal) => {
    begun.resolve(signal);
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const reading = response.text();
  const signal = await begun.promise;
  expect(signal.aborted).toBe(false);
  leaving.abort();
  await expect(reading).rejects.toThrow(/abort/);
  await eventually('the index is told', () => signal.aborted);
});

test('only so many are under way, and whoever ends leaves its place', async () => {
  const { get } = await openFilled();
  const readers = await Promise.all(Array.from({ length: maxExports }, async () => bodyOf(await get(path))));
  expect(await errorOf(await get(path))).toEqual({
    ...{ status: 503, retryAfter: '10' },
    error: {
      message: `${maxExports} exports are under way, and no more at a time: try again later`,
      extensions: { code: 'UNAVAILABLE', retryAfter: 10 },
    },
  });
  // What takes no place is answered all the same.
  expect((await get(path, { method: 'HEAD' })).status).toBe(200);
  expect((await get(`${path}?limit=x`)).status).toBe(503);
  await readers[0]?.cancel();
  const limited = await get(`${path}?limit=3`);
  expect(await linesOf(limited)).toHaveLength(3);
  expect((await get(`${path}?limit=x`)).status).toBe(400);
  const leaving = new AbortController();
  const last = bodyOf(await get(path, { signal: leaving.signal }));
  expect((await get(path)).status).toBe(503);
  leaving.abort();
  await expect(last.closed).rejects.toThrow('the client has gone');
  expect(await linesOf(await get(`${path}?limit=3`))).toHaveLength(3);
});

describe('an index that fails', () => {
  test('before the first row is told with a status', async () => {
    const { get, beforeList } = await openFilled();
    beforeList(() => Promise.reject(unavailable()));
    const { status, retryAfter, error } = await errorOf(await get(path));
    expect([status, retryAfter, error?.extensions]).toEqual([
      503,
      '5',
      { code: 'UNAVAILABLE', retryAfter: 5 },
    ]);
    expect(error?.message).not.toContain('secret');
    beforeList(() => Promise.reject(new Error('a bug of ours')));
    expect(await errorOf(await get(path))).toMatchObject({
      status: 500,
      error: { message: 'internal error', extensions: { code: 'INTERNAL_SERVER_ERROR' } },
    });
  });

  test('or takes too long, is told what to do', async () => {
    const { get, beforeList } = await openExportStores({ queryTimeoutMs: 20 });
    beforeList(
      (signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    expect(await errorOf(await get(path))).toMatchObject({
      status: 504,
      error: {
        message: 'the query took longer than 20ms: ask for less, or narrow it by a filter',
        extensions: { code: 'QUERY_TIMEOUT' },
      },
    });
  });

  test.each(['1.1', '1.0'])(
    'midway breaks the connection: never a file that is short (HTTP/%s)',
    async (version) => {
      const { listen, beforeList, lists } = await openFilled();
      beforeList(() => (lists() === 3 ? Promise.reject(unavailable()) : undefined));
      const { hostname, port } = new URL(await listen());
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(`GET ${path} HTTP/${version}\r\nHost: api.test\r\n\r\n`);
      let bytes = 0;
      let ended = false;
      socket.on('data', ({ length }: Buffer) => {
        bytes += length;
      });
      socket.on('end', () => {
        ended = true;
      });
      const [cause] = await once(socket, 'error').catch((thrown) => [thrown]);
      expect(cause).toMatchObject({ code: 'ECONNRESET' });
      expect(ended).toBe(false);
      expect(bytes).toBeGreaterThan(1_000_000);
    },
  );

  test('midway is noticed by whoever reads with fetch', async () => {
    const { listen, beforeList, lists } = await openFilled();
    beforeList(() => (lists() === 3 ? Promise.reject(unavailable()) : undefined));
    const response = await fetch(`${await listen()}${path}`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });
});

test('an API that stops cuts off what is under way, and begins nothing more', async () => {
  const { get, exports } = await openFilled();
  const reader = bodyOf(await get(path));
  exports.close();
  await expect(reader.closed).rejects.toThrow('the API is stopping');
  expect(await errorOf(await get(path))).toMatchObject({
    status: 503,
    error: { message: 'the API is stopping: try again later' },
  });
});
