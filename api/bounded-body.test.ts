/** Bodies in gzip are read as others are, and none is unpacked beyond the bound. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTestApi, submitMutation, type TestApi } from '../test/support/api.ts';
import { hostId, result } from '../test/support/reports.ts';
import { maxBodyBytes } from './read-body.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});

const post = (body: Uint8Array<ArrayBuffer>, encoding: string, path = '/graphql') =>
  api.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': encoding },
    body,
  });

test('a report in gzip is taken whole', async () => {
  const input = {
    host: { id: hostId(1), name: 'web-1' },
    collectedAt: '2026-05-01T00:00:00Z',
    results: [result('os', { distribution: 'Debian GNU/Linux ✓' })],
  };
  const sent = JSON.stringify({ query: submitMutation, variables: { input } });
  expect(await (await post(gzipSync(sent), 'gzip')).json()).toMatchObject({
    data: { submitReport: { duplicate: false } },
  });
  const { data } = await api.ask(`{ host(id: "${hostId(1)}") { os { distribution } } }`);
  expect(data.host.os.distribution).toBe('Debian GNU/Linux ✓');
});

test('so is one of the Python agent', async () => {
  const report = { server_ip: '203.0.113.9', os_name: 'Linux', timestamp: '2026-05-01 00:00:00' };
  const flat = { ...report, cpu: 'x', os_username: 'root', os_version: '12' };
  const response = await post(gzipSync(JSON.stringify(flat)), 'gzip', '/report');
  expect(await response.json()).toEqual({ status: 'success' });
});

describe('refused, with what would do', () => {
  test.each([
    ['what unpacks to more than the bound', gzipSync(Buffer.alloc(maxBodyBytes + 1)), 'gzip', 413, /16 MiB/],
    ['what is no gzip', new TextEncoder().encode('{}'), 'gzip', 400, /not the gzip/],
    [
      'gzip that was cut off',
      gzipSync('{"query":"{ __typename }"}').subarray(0, 20),
      'gzip',
      400,
      /not the gzip/,
    ],
    ['another encoding', brotliCompressSync('{}'), 'br', 415, /in gzip/],
    ['one on top of another', gzipSync(gzipSync('{}')), 'gzip, gzip', 415, /in gzip/],
  ] as const)('%s', async (_name, body, encoding, status, message) => {
    const response = await post(new Uint8Array(body), encoding);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      ...{ status: 'error', error: expect.stringMatching(message) },
      errors: [{ message: expect.stringMatching(message), extensions: { code: 'BAD_REQUEST' } }],
    });
  });

  test('what is larger than the bound before it is unpacked', async () => {
    expect((await post(new Uint8Array(maxBodyBytes + 1), 'gzip')).status).toBe(413);
  });
});

describe('in chunks, so that no length is told', () => {
  const inChunks = (parts: string[]) => {
    const body = new Blob(parts).stream();
    const headers = { 'content-type': 'application/json' };
    return api.fetch('/graphql', { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
  };

  test('a query is answered', async () => {
    const response = await inChunks(['{"query":', '"{ __typename }"}']);
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  });

  test('what is larger than the bound is refused', async () => {
    const response = await inChunks(Array(17).fill(' '.repeat(2 ** 20)));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ errors: [{ message: expect.stringMatching(/16 MiB/) }] });
  });
});

test('a length beyond the bound is refused before anything is read', async () => {
  const headers = { 'content-type': 'application/json', 'content-length': `${maxBodyBytes + 1}` };
  const response = await api.fetch('/graphql', { method: 'POST', headers, body: '{' });
  expect(response.status).toBe(413);
});

test('identity is no encoding', async () => {
  const response = await post(new TextEncoder().encode('{"query":"{ __typename }"}'), 'identity');
  expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
});
