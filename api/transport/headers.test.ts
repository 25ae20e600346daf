import { expect, onTestFinished, test } from 'vitest';
import { openTestApi } from '../../test/support/api.ts';
import { sendRaw } from '../../test/support/raw-http.ts';
import { pagePolicy, securityHeaders } from './headers.ts';
import { openHttpListener } from './http-listener.ts';

const expected = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
};

async function open() {
  const listener = await openHttpListener({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => void listener.close());
  return listener;
}

const get = (origin: string, target: string, fields = '') =>
  sendRaw(origin, `GET ${target} HTTP/1.1\r\nHost: api.test\r\n${fields}\r\n`);

test('every answer has them, whoever makes it', async () => {
  const listener = await open();
  const starting = await get(listener.origin, '/graphql');
  expect([starting.status, starting.headers]).toMatchObject([503, expected]);
  const api = await openTestApi();
  listener.answerWith(api.listener);
  for (const [target, status] of [
    ['/', 302],
    ['/health', 200],
    ['/ready', 200],
    ['/metrics', 200],
    ['/nothing', 404],
    ['/graphql?query=%7B__typename%7D', 200],
    ['/graphql?query=%7B__typename%7D&variables=x', 400],
    ['/export/hosts.csv', 200],
    ['/report?ip=192.0.2.1', 404],
  ] as const) {
    const { headers, ...answer } = await get(listener.origin, target);
    expect([target, answer.status, headers]).toMatchObject([target, status, expected]);
    expect(headers).not.toHaveProperty('server');
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('strict-transport-security');
  }
  for (const bad of [
    'NONSENSE\r\n\r\n',
    'GET /health HTTP/1.1\r\n\r\n',
    'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  ]) {
    expect((await sendRaw(listener.origin, bad)).headers).toMatchObject(expected);
  }
});

test('over TLS browsers are to come by TLS again', () => {
  expect(new Map(securityHeaders(true)).get('strict-transport-security')).toBe('max-age=31536000');
  expect(new Map(securityHeaders(false)).has('strict-transport-security')).toBe(false);
});

test('the page has a policy of its own, also where it has not changed', async () => {
  const listener = await open();
  listener.answerWith((await openTestApi()).listener);
  const page = await get(listener.origin, '/graphql', 'Accept: text/html\r\n');
  const { 'content-security-policy': policy = '', etag } = page.headers;
  expect(policy).toBe(pagePolicy(page.text));
  const again = await get(listener.origin, '/graphql', `Accept: text/html\r\nIf-None-Match: ${etag}\r\n`);
  expect([again.status, again.headers['content-security-policy']]).toEqual([304, policy]);
  expect(policy).toMatch(/script-src '/);
  expect(policy).not.toMatch(/script-src[^;]*(unsafe|http|\*|'self'|blob|data)/);
  expect(policy).toContain("default-src 'none'");
});

test('a policy names each script by its own hash, and no other', () => {
  const policy = pagePolicy('<script>alert(1)</script><style>a{}</style><script>alert(2)</script>');
  // echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
  expect(policy).toContain("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='");
  expect(policy.match(/'sha256-/g)).toHaveLength(2);
});
