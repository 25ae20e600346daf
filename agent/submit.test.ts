import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Answer, closedUrl, respond, startStubApi } from '../test/support/stub-api.ts';
import { fixedToken } from './access/credentials.ts';
import { buildReport } from './report.ts';
import { shownUrl } from './shown-url.ts';
import { connect } from './submit.ts';

const running = new AbortController().signal;
const token = 's3cret-t0ken';

const report = buildReport({
  host: { id: 'f4271aa0-4483-41f3-a0ac-28d3745f6527', name: 'web-1', labels: { site: 'fra1' } },
  agentVersion: '1.2.3',
  collectedAt: new Date('2026-01-02T03:04:05.006Z'),
  intervalMs: 90_000,
  results: [],
});

test('a report is sent whole, with the token, and its receipt returned', async () => {
  const server = await startStubApi();
  const receipt = await connect({ url: server.url, credentials: fixedToken(token) }).submit(report, running);
  expect(receipt).toEqual({ reportId: report.id, duplicate: false });
  const [request] = server.requests;
  expect(request?.headers.authorization).toBe(`Bearer ${token}`);
  expect(request?.query).toContain('mutation SubmitReport($input: SubmitReportInput!)');
  expect(request?.variables).toEqual({ input: report });
  expect(report).toMatchObject({ collectedAt: '2026-01-02T03:04:05.006Z', intervalSeconds: 90 });
});

test('no token, no header', async () => {
  const server = await startStubApi();
  await connect({ url: server.url, credentials: fixedToken(null) }).submit(report, running);
  expect(server.requests[0]?.headers.authorization).toBeUndefined();
});

const refusal = {
  errors: [
    {
      message: 'host.id: must be a UUID',
      path: ['submitReport'],
      extensions: { code: 'BAD_USER_INPUT' },
    },
    { message: 'and another' },
  ],
};
const answers: [string, Answer, string, string][] = [
  [
    'a GraphQL error',
    (_, response) => respond(response, 200, { data: null, ...refusal }),
    'INVALID',
    'answered: host.id: must be a UUID (BAD_USER_INPUT at submitReport); and another',
  ],
  [
    'a GraphQL error with HTTP 400',
    (_, response) => respond(response, 400, refusal),
    'INVALID',
    'must be a UUID (BAD_USER_INPUT at submitReport)',
  ],
  [
    'a GraphQL error of the server',
    (_, response) =>
      respond(response, 200, {
        data: null,
        errors: [{ message: 'bucket is down', extensions: { code: 'UNAVAILABLE' } }],
      }),
    'UNAVAILABLE',
    'answered: bucket is down (UNAVAILABLE)',
  ],
  [
    'HTTP 500',
    (_, response) => respond(response, 500, '<h1>Oops</h1>'),
    'UNAVAILABLE',
    'answered HTTP 500; its log, or that of a proxy before it, says why: <h1>Oops</h1>',
  ],
  [
    'HTTP 502 without a body',
    (_, response) => respond(response, 502, ''),
    'UNAVAILABLE',
    'answered HTTP 502',
  ],
  [
    'HTTP 401',
    (_, response) => respond(response, 401, ''),
    'UNAUTHENTICATED',
    'answered HTTP 401; is the token right, of api.token or OS_INSPECTOR_TOKEN?',
  ],
  [
    'HTTP 404',
    (_, response) => respond(response, 404, 'Not Found'),
    'UNAVAILABLE',
    'is the path of api.url right? It ends in /graphql: Not Found',
  ],
  [
    'HTTP 413',
    (_, response) => respond(response, 413, ''),
    'INVALID',
    'answered HTTP 413, the report is too large',
  ],
  [
    'a redirect',
    (_, response) => response.writeHead(301, { location: 'https://new.example/graphql' }).end(),
    'UNAVAILABLE',
    'answered HTTP 301 and points to https://new.example/graphql; set api.url to that',
  ],
  [
    'a web page',
    (_, response) => respond(response, 200, '<html>hello</html>'),
    'UNAVAILABLE',
    'is not the API; is api.url right?',
  ],
  [
    'an endless answer',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const feed = () => {
        while (!response.destroyed && response.write('['.repeat(65_536)));
      };
      response.on('drain', feed);
      feed();
    },
    'UNAVAILABLE',
    'is not the API; is api.url right?',
  ],
  [
    'other JSON',
    (_, response) => respond(response, 200, { hello: 'world' }),
    'UNAVAILABLE',
    'is not the API; is api.url right?',
  ],
  [
    'another GraphQL API',
    (_, response) => respond(response, 200, { data: { other: 1 } }),
    'UNAVAILABLE',
    'is not the API; is api.url right?',
  ],
  [
    'a closed connection',
    (_, response) => response.destroy(),
    'UNAVAILABLE',
    'the connection was closed; is api.url right',
  ],
];

test.each(answers)('%s is one clear line', async (_, answer, code, message) => {
  const server = await startStubApi(answer);
  const failure = await connect({ url: server.url, credentials: fixedToken(token) })
    .submit(report, running)
    .catch((error) => error);
  expect(failure).toMatchObject({ name: 'SubmitError', code });
  expect(failure.message).toContain(message);
  expect(failure.message).toContain(server.url);
  expect(failure.message).not.toMatch(/\n|s3cret|mutation/);
});

test.each<[string, Answer, number | null]>([
  ['an error', (_, response) => respond(response, 200, failed({ retryAfter: 12 })), 12_000],
  ['a header in seconds', (_, response) => later(response, '90'), 90_000],
  ['a header that is a date', (_, response) => later(response, 'Fri, 31 Dec 9999 23:59:59 GMT'), 3_600_000],
  ['a date that is over', (_, response) => later(response, 'Thu, 01 Jan 1970 00:00:00 GMT'), null],
  ['a header beyond reason', (_, response) => later(response, '999999999'), 3_600_000],
  ['a header that is neither', (_, response) => later(response, 'soon'), null],
  ['nothing', (_, response) => respond(response, 503, ''), null],
  // As the API answers an agent that has sent more than it may, or while it is busy.
  [
    'an error of too many requests',
    (_, response) => respond(response, 429, limited({ retryAfter: 7 })),
    7_000,
  ],
  ['a header beside such an error', (_, response) => later(response, '8', 429, limited({})), 8_000],
  ['a header of a proxy that has had enough', (_, response) => later(response, '9', 429), 9_000],
])('when to try again is told by %s', async (_what, answer, retryAfterMs) => {
  const server = await startStubApi(answer);
  await expect(
    connect({ url: server.url, credentials: fixedToken(token) }).submit(report, running),
  ).rejects.toMatchObject({
    // Neither of which costs the report.
    code: expect.stringMatching(/^(?:UNAVAILABLE|RATE_LIMITED)$/),
    retryAfterMs,
  });
});

function failed(more: object): object {
  return { errors: [{ message: 'bucket is down', extensions: { code: 'UNAVAILABLE', ...more } }] };
}

function limited(more: object): object {
  return { errors: [{ message: 'too many reports', extensions: { code: 'RATE_LIMITED', ...more } }] };
}

function later(response: ServerResponse, when: string, status = 503, body: object | null = null): void {
  response.writeHead(status, { 'retry-after': when, 'content-type': 'application/json' });
  response.end(body && JSON.stringify(body));
}

test.each<[string, unknown]>([
  ['fewer answers than reports', { submitReports: [] }],
  ['an answer that says nothing', { submitReports: [{ payload: null, error: null }] }],
  ['no answers', {}],
])('%s: it is not the API', async (_what, data) => {
  const server = await startStubApi((_, response) => respond(response, 200, { data }));
  await expect(
    connect({ url: server.url, credentials: fixedToken(token) }).submitMany([report], running),
  ).rejects.toThrow('is not the API; is api.url right?');
});

test('a refused connection', async () => {
  const url = await closedUrl();
  await expect(connect({ url, credentials: fixedToken(token) }).submit(report, running)).rejects.toThrow(
    `cannot reach the API at ${url}: connection refused; is it running, and is api.url right?`,
  );
});

test('an unknown host name', async () => {
  const url = 'http://no-such-host.invalid/graphql';
  await expect(connect({ url, credentials: fixedToken(token) }).ping(running)).rejects.toThrow(
    /^cannot reach the API at .*name/,
  );
});

test('TLS to a server that does not speak it', async () => {
  const server = await startStubApi();
  const url = server.url.replace('http:', 'https:');
  await expect(connect({ url, credentials: fixedToken(token) }).ping(running)).rejects.toThrow(
    'should api.url begin with http://?',
  );
});

test('a server that is not HTTP', async () => {
  const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await expect(
    connect({ url: `http://127.0.0.1:${port}/`, credentials: fixedToken(token) }).ping(running),
  ).rejects.toThrow(/^cannot reach the API at /);
});

test('a hanging server is given up after the timeout', async () => {
  const server = await startStubApi(() => {});
  const api = connect({ url: server.url, credentials: fixedToken(token), timeoutMs: 100 });
  await expect(api.submit(report, running)).rejects.toThrow(
    `the API at ${server.url} did not answer within 100ms`,
  );
});

test('a stop ends a request at once with its own reason', async () => {
  const stop = new AbortController();
  const server = await startStubApi(() => stop.abort(new Error('told to stop')));
  await expect(
    connect({ url: server.url, credentials: fixedToken(token) }).submit(report, stop.signal),
  ).rejects.toThrow('told to stop');
});

test('ping takes any GraphQL API, and nothing else', async () => {
  const server = await startStubApi();
  await connect({ url: server.url, credentials: fixedToken(token) }).ping(running);
  expect(server.requests[0]?.query).toBe('{ __typename }');
});

test('an address is shown without its query', () => {
  expect(shownUrl('http://a:1/graphql?key=s3cret#x')).toBe('http://a:1/graphql');
});
