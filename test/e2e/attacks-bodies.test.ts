/** Bodies from those who mean no good, over a socket: framed wrong, packed to burst, not what they say, nested without end. */
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { api, expectRefused, origin, post, query } from '../support/attacked-api.ts';
import { openRaw, sendRaw } from '../support/raw-http.ts';
import { hostId, result } from '../support/reports.ts';

describe('a body', () => {
  const chunked = { fields: 'Transfer-Encoding: chunked\r\n' };

  test.each([
    ['of a length that is no number', post(query, { fields: 'Content-Length: 0x18\r\n' }), 400],
    ['of a negative length', post(query, { fields: 'Content-Length: -1\r\n' }), 400],
    [
      'of a length beyond all numbers',
      post(query, { fields: 'Content-Length: 99999999999999999999999\r\n' }),
      400,
    ],
    ['of two lengths', post(query, { fields: 'Content-Length: 26\r\nContent-Length: 27\r\n' }), 400],
    [
      'of a length and in chunks',
      post('0\r\n\r\n', { fields: 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n' }),
      400,
    ],
    ['in chunks of no size', post('zz\r\nhello\r\n', chunked), 400],
    ['in chunks of a negative size', post('-1\r\nhello\r\n', chunked), 400],
    ['in chunks of an endless size', post('ffffffffffffffffff\r\nhello\r\n', chunked), 400],
    ['in chunks that end with LF alone', post(`1a\n${query}\n0\n\n`, chunked), 400],
    [
      'in chunks with endless extensions',
      post(`1a;${'a'.repeat(20_000)}\r\n${query}\r\n0\r\n\r\n`, chunked),
      413,
    ],
    [
      'in chunks with endless trailers',
      post(`1a\r\n${query}\r\n0\r\n${'X: y\r\n'.repeat(5_000)}\r\n`, chunked),
      431,
    ],
    ['chunked by another name', post('0\r\n\r\n', { fields: 'Transfer-Encoding: xchunked\r\n' }), 501],
    ['chunked and more', post('0\r\n\r\n', { fields: 'Transfer-Encoding: gzip, chunked\r\n' }), 501],
  ])('%s', (_what, bytes, status) => expectRefused(bytes, status, /./));

  test.each(['/graphql', '/report'])('in chunks that are more than may be, for %s', async (path) => {
    const connection = await openRaw(origin);
    connection.write(post('', { path, ...chunked }));
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(2 ** 20, ' '), Buffer.from('\r\n')]);
    for (let part = 0; part < 256; part += 1) connection.write(chunk);
    // Many clients read no answer until they have sent all.
    await promisify<string, void>(connection.socket.write.bind(connection.socket))('0\r\n\r\n');
    const answer = await connection.answer();
    expect(answer.status).toBe(413);
    expect(answer.text).toContain('16 MiB');
    connection.socket.end();
    await connection.closed;
  });

  test.each(['/graphql', '/report'])('that says it is larger than may be, for %s', async (path) => {
    const connection = await openRaw(origin);
    connection.write(post('', { path, fields: 'Content-Length: 9007199254740993\r\n' }));
    expect((await connection.answer()).status).toBe(413);
    await connection.closed;
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ] as const)('of gigabytes of nothing in %s', async (encoding, pack) => {
    // As far as a test can go: some 40 kB that are 40 MB.
    const bomb = pack(Buffer.alloc(40 * 1024 * 1024));
    for (const path of ['/graphql', '/report']) {
      const fields = `Content-Encoding: ${encoding}\r\nContent-Length: ${bomb.length}\r\n`;
      expect((await sendRaw(origin, post(bomb, { path, fields }))).status).toBe(
        encoding === 'gzip' ? 413 : 415,
      );
    }
  });

  test('packed twice is not unpacked once more, whatever it says', async () => {
    const twice = gzipSync(gzipSync(query));
    for (const [encoding, status] of [
      ['gzip, gzip', 415],
      ['gzip', 400],
    ] as const) {
      const fields = `Content-Encoding: ${encoding}\r\nContent-Length: ${twice.length}\r\n`;
      expect((await sendRaw(origin, post(twice, { path: '/report', fields }))).status).toBe(status);
    }
  });

  test('that is announced is waited for, unless something else is expected', async () => {
    const connection = await openRaw(origin);
    connection.write(post('', { fields: `Expect: 100-continue\r\nContent-Length: ${query.length}\r\n` }));
    expect((await connection.answer()).status).toBe(100);
    connection.write(query);
    expect((await connection.answer()).text).toBe('{"data":{"__typename":"Query"}}');
    await expectRefused(
      post(query, { fields: `Expect: miracles\r\nContent-Length: ${query.length}\r\n` }),
      417,
      /100-continue/,
    );
  });

  test.each([
    ['broken UTF-8', Buffer.from('{"query":"{ \xff\xfe }"}', 'latin1')],
    ['a lone surrogate', '{"query":"{ __typename }","variables":{"a":"\\ud800"}}'],
    ['brackets without end', '['.repeat(1_000_000)],
    ['objects without end', '{"a":'.repeat(500_000)],
    [
      'brackets that do end',
      `{"query":"{ __typename }","variables":{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}}`,
    ],
    ['a query without end', `{"query":"${'{a'.repeat(100_000)}"}`],
    ['names of every object', '{"__proto__":{"isAdmin":true},"query":"{ __typename }"}'],
    [
      'names of every object in variables',
      '{"query":"{ __typename }","variables":{"__proto__":{"isAdmin":true}}}',
    ],
    ['their makers', '{"query":"{ __typename }","constructor":{"prototype":{"isAdmin":true}}}'],
    ['an operation of their name', '{"query":"{ __typename }","operationName":"__proto__"}'],
    ['nothing', ''],
    ['null', 'null'],
    ['zero bytes', '\0\0\0'],
  ])('of %s is read or refused', async (_what, body) => {
    for (const path of ['/graphql', '/report']) {
      const { status, text } = await sendRaw(origin, post(body, { path }));
      expect([200, 400]).toContain(status);
      expect(() => JSON.parse(text)).not.toThrow();
      expect(text).not.toMatch(/INTERNAL|internal error|Unexpected error/);
    }
  });

  test('of a report with names of every object is stored as it is, and nothing else has them', async () => {
    const facts =
      '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"distribution":"Debian"}';
    const input = {
      host: { id: hostId(1), name: 'web-1' },
      collectedAt: '2026-05-01T00:00:00Z',
      results: [result('os', {})],
    };
    const variables = JSON.stringify({ input }).replace('"facts":{}', `"facts":${facts}`);
    expect(variables).toContain('__proto__');
    const mutation = 'mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate } }';
    const sent = await sendRaw(
      origin,
      post(`{"query":${JSON.stringify(mutation)},"variables":${variables}}`),
    );
    expect(sent.text).toBe('{"data":{"submitReport":{"duplicate":false}}}');
    const { host } = await api.ask(
      `{ host(id: "${hostId(1)}") { name facts(plugin: "os") os { distribution } } }`,
    );
    expect(host.os.distribution).toBe('Debian');
    expect(JSON.stringify(host.facts)).toBe(facts);
    expect(JSON.stringify(host)).not.toMatch(/^.*"isAdmin":true.*"name"/);
    const viewer = await api.ask('{ viewer { name isAdmin: __typename } }');
    expect(viewer.viewer.isAdmin).toBe('Viewer');
  });
});
