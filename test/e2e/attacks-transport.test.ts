/**
 * What comes over a socket from those who mean no good: each is refused with a status that says why or is cut off, the
 * process goes on, and others are served meanwhile.
 */
import { describe, expect, test } from 'vitest';
import { startApi } from '../support/api-process.ts';
import { expectRefused, head, origin, post, query, served } from '../support/attacked-api.ts';
import { eventually } from '../support/eventually.ts';
import { openRaw, type RawConnection, sendRaw } from '../support/raw-http.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('who takes long', () => {
  /** Sends one byte whenever others have been answered, until the server has had enough. */
  async function drip(connection: RawConnection, bytes: string): Promise<void> {
    let open = true;
    connection.closed.then(() => {
      open = false;
    });
    for (let at = 0; open; at += 1) {
      connection.write(bytes[at % bytes.length] ?? '');
      expect(await served()).toBe(true);
    }
  }

  test.each([
    // One header, as on a fast machine there would soon be more of them than may be.
    ['with the head', 'GET /health HTTP/1.1\r\nHost: localhost\r\nX: ', 'y', 408],
    [
      'with the body',
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n`,
      ' ',
      408,
    ],
    [
      'with a body in chunks',
      `POST /report HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '1\r\n \r\n',
      408,
    ],
  ])('%s is told so, and cut off', async (_what, start, rest, status) => {
    const connection = await openRaw(origin);
    connection.write(start);
    const answer = connection.answer();
    await drip(connection, rest);
    expect((await answer).status).toBe(status);
  });

  test('and says nothing at all', async () => {
    const connection = await openRaw(origin);
    expect((await connection.answer()).status).toBe(408);
    await connection.closed;
  });

  test('with a thousand heads at once keeps nobody out', async () => {
    const connections = await Promise.all(Array.from({ length: 1000 }, () => openRaw(origin)));
    for (const { write } of connections) write('GET /graphql HTTP/1.1\r\nHost: localhost\r\nX: ');
    expect(await served()).toBe(true);
    await Promise.all(connections.map(({ closed }) => closed));
  });
});

test('idle connections are ended, and those beyond the bound are not taken', async () => {
  const bounded = await startApi(await temporaryFolder(), {
    env: { MAX_CONNECTIONS: '100', HEADERS_TIMEOUT: '1s' },
  });
  const { origin: other } = new URL(bounded.url);
  const connections = await Promise.all(Array.from({ length: 300 }, () => openRaw(other)));
  const endings = await Promise.all(connections.map(({ closed }) => closed));
  // Whoever was taken was told why it ended; whoever was not heard nothing.
  expect(endings.filter((text) => text.startsWith('HTTP/1.1 408')).length).toBeLessThanOrEqual(100);
  expect(endings.filter((text) => text === '').length).toBeGreaterThanOrEqual(200);
  const metrics = await sendRaw(other, head('GET', '/metrics'));
  expect(
    Number(/^os_inspector_\w*refused\w*connections\w* (\d+)/m.exec(metrics.text)?.[1]),
  ).toBeGreaterThanOrEqual(200);
  expect(bounded.child.exitCode).toBeNull();
});

describe('a head', () => {
  test.each([
    [
      'that is too large',
      head('GET', '/health', `Host: localhost\r\nX: ${'a'.repeat(17_000)}\r\n`),
      431,
      /16 KiB/,
    ],
    ['of a too long address', head('GET', `/${'a'.repeat(17_000)}`), 431, /16 KiB/],
    [
      'of too many headers',
      head('GET', '/health', `Host: localhost\r\n${'X: y\r\n'.repeat(100)}`),
      431,
      /100 headers/,
    ],
    ['in broken UTF-8', head('GET', '/\xff\xfe'), 400, /not a request/],
    ['with a zero byte', head('GET', '/health', 'Host: localhost\r\nX: a\0b\r\n'), 400, /not a request/],
    ['with lines of LF alone', 'GET /health HTTP/1.1\nHost: localhost\n\n', 400, /not a request/],
    [
      'with a folded header',
      head('GET', '/health', 'Host: localhost\r\nX: a\r\n b: c\r\n'),
      400,
      /not a request/,
    ],
    ['with a blank before the colon', head('GET', '/health', 'Host : localhost\r\n'), 400, /not a request/],
    ['without a Host', head('GET', '/health', ''), 400, /one Host/],
    ['with two', head('GET', '/health', 'Host: localhost\r\nHost: 127.0.0.1\r\n'), 400, /one Host/],
    ['with a method nobody knows', head('SNOOP', '/graphql'), 400, /not a request/],
    ['of HTTP/0.9', 'GET /health\r\n\r\n', 505, /HTTP\/1\.1/],
    ['of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, /not a request/],
    ['of TLS', Buffer.from('16030100a5010000a10303', 'hex'), 400, /not a request/],
  ])('%s', (_what, bytes, status, message) =>
    expectRefused(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, status, message),
  );

  test.each([
    '',
    '[',
    'a b',
    'a/export/hosts.csv?',
    'a?b',
    'a#b',
    'a\\b',
    'user@a',
    'a:99999',
    'a:b:c',
    '\xff',
  ])('with the Host %j, which would be a part of the address', (host) =>
    expectRefused(Buffer.from(head('GET', '/health', `Host: ${host}\r\n`), 'latin1'), 400, /Host/),
  );

  test('that never ends', async () => {
    const connection = await openRaw(origin);
    connection.write('GET /health HTTP/1.1\r\nHost: localhost\r\n');
    const answer = connection.answer();
    // A client that reads the answer only once all is sent, as many do.
    for (let sent = 0; connection.socket.writable && sent < 1000; sent += 1) {
      connection.write(`X-${sent}: ${'a'.repeat(1000)}\r\n`);
    }
    expect((await answer).status).toBe(431);
    await connection.closed;
  });

  test.each(['TRACE', 'CONNECT', 'DELETE', 'PATCH', 'PROPFIND'])('with the method %s', (method) =>
    expectRefused(head(method, method === 'CONNECT' ? 'evil.example:443' : '/graphql'), 405, /GET|no proxy/),
  );

  test('that asks to speak something else is answered in HTTP', async () => {
    for (const fields of [
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
      'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
    ]) {
      const answer = await sendRaw(
        origin,
        head('GET', '/health', `Host: localhost\r\nConnection: Upgrade\r\n${fields}`),
      );
      expect([answer.status, answer.headers.upgrade]).toEqual([200, undefined]);
    }
  });
});

describe('an address', () => {
  test.each([
    '/export/../../etc/passwd',
    '/export/..\\..\\etc\\passwd',
    '/export/%2e%2e/%2E./etc/passwd',
    '/health/../graphql',
    '/health#/graphql',
    '*',
    'ftp://localhost/health',
    'http://[/health',
    'http://user@localhost/health',
  ])('%s is no path', (target) => expectRefused(head('GET', target), 400, /must be a path|Host header/));

  test.each([
    '/export/..%2f..%2fetc%2fpasswd',
    '/export/....//etc/passwd',
    '/export/hosts.csv%00.ndjson',
    '//evil.example/health',
    '/%ff%fe',
    '/%',
    '/__proto__',
    '/.yoga-health',
  ])('%s is not there', async (target) => {
    const { status, text } = await sendRaw(origin, head('GET', target));
    expect(status).toBe(404);
    expect(text).not.toMatch(/root:|node_modules|\.ts\b/);
  });

  test.each(['variables', 'extensions'])('whose %s are no JSON is told so', async (name) => {
    const answer = await sendRaw(origin, head('GET', `/graphql?query=%7B__typename%7D&${name}=%ff`));
    expect([answer.status, JSON.parse(answer.text).errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST']);
  });

  test('that is whole, as a proxy is asked, is that of its path', async () => {
    expect((await sendRaw(origin, head('GET', 'http://localhost/health'))).text).toBe('{"health":"ok"}');
    expect((await sendRaw(origin, head('GET', 'http://localhost'))).status).toBe(302);
  });
});

describe('one connection', () => {
  test('with a thousand requests at once gets all answers, in their order', async () => {
    const connection = await openRaw(origin);
    const ids = Array.from({ length: 1000 }, (_, index) => `request-${index}`);
    const fields = (id: string) => `Host: localhost\r\nX-Request-Id: ${id}\r\n`;
    connection.write(ids.map((id) => head('GET', '/health', fields(id))).join(''));
    for (const id of ids) {
      const { headers, text } = await connection.answer();
      expect([headers['x-request-id'], text]).toEqual([id, '{"health":"ok"}']);
    }
  });

  test('with a bad request behind a good one gets the answers to both', async () => {
    const connection = await openRaw(origin);
    connection.write(Buffer.concat([post(query), Buffer.from('NONSENSE\r\n\r\n')]));
    expect((await connection.answer()).text).toBe('{"data":{"__typename":"Query"}}');
    expect((await connection.answer()).status).toBe(400);
    expect(await connection.closed).toBe('');
  });

  test('in HTTP/1.0 is answered and ended', async () => {
    const connection = await openRaw(origin);
    connection.write(head('GET', '/health', '', 'HTTP/1.0'));
    expect((await connection.answer()).text).toBe('{"health":"ok"}');
    await connection.closed;
  });

  test("that goes in the middle of anything is nobody else's business", async () => {
    for (const bytes of [
      post(query).subarray(0, -3),
      post(query),
      head('GET', '/graphql?query=%7B__typename%7D'),
    ]) {
      for (let time = 0; time < 20; time += 1) {
        const { write, socket } = await openRaw(origin);
        write(bytes);
        socket.resetAndDestroy();
      }
    }
  });

  test('that reads no answer holds up no other', async () => {
    const stalled = await openRaw(origin);
    stalled.socket.pause();
    const page = head('GET', '/graphql', 'Host: localhost\r\nAccept: text/html\r\n');
    stalled.write(page.repeat(5));
    await eventually('others are served', served);
    stalled.socket.destroy();
  });
});

test("a name that is not this machine's is not answered without authentication", async () => {
  for (const host of [
    'evil.example',
    'evil.example:4000',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
  ]) {
    await expectRefused(
      head('GET', '/graphql?query=%7B__typename%7D', `Host: ${host}\r\n`),
      421,
      /AUTH=required/,
    );
  }
  for (const host of ['127.0.0.1', '192.0.2.1:4000', '[::1]:4000', 'LOCALHOST', 'api.localhost']) {
    expect((await sendRaw(origin, head('GET', '/health', `Host: ${host}\r\n`))).status).toBe(200);
  }
});
