/** What a page of another site may have a visitor's browser do: nothing, with the visitor's credentials or without. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { openTestApi } from '../../test/support/api.ts';
import { sendRaw } from '../../test/support/raw-http.ts';
import { readSettings } from '../settings.ts';
import { openHttpListener } from './http-listener.ts';
import { isFromAnotherSite } from './same-site.ts';

const page = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

test.each([
  ['a script, which says nothing', 'POST', {}, false],
  ['a page of its own', 'POST', { 'sec-fetch-site': 'same-origin' }, false],
  ['an address that was typed', 'GET', { 'sec-fetch-site': 'none', ...page }, false],
  ['a link on another site', 'GET', { 'sec-fetch-site': 'cross-site', ...page }, false],
  ['a form on another site', 'POST', { 'sec-fetch-site': 'cross-site', ...page }, true],
  ['an image on another site', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, true],
  ['a frame', 'GET', { 'sec-fetch-site': 'cross-site', ...page, 'sec-fetch-dest': 'iframe' }, true],
  ['a neighbour below the same domain', 'POST', { 'sec-fetch-site': 'same-site' }, true],
  ['a browser without that, of its own page', 'POST', { origin: 'https://api.test' }, false],
  ['that, with the usual port told', 'POST', { origin: 'http://api.test', host: 'API.test:80' }, false],
  ['of another page', 'POST', { origin: 'http://evil.example' }, true],
  ['of another page that reads', 'GET', { origin: 'http://evil.example' }, true],
  ['of another port', 'POST', { origin: 'http://api.test:8080' }, true],
  ['of a name that begins as this one', 'POST', { origin: 'http://api.test.evil.example' }, true],
  ['of a page that hides where it is from', 'POST', { origin: 'null' }, true],
  ['of a file', 'POST', { origin: 'file://' }, true],
  ['of nonsense', 'POST', { origin: 'http://[' }, true],
])('%s', (_who, method, headers, expected) => {
  const request = new Request('http://api.test/graphql', {
    method,
    headers: { host: 'api.test', ...headers },
  });
  expect(isFromAnotherSite(request)).toBe(expected);
});

describe('over a socket', () => {
  const mutation =
    '{"query":"mutation { revokeToken(id: \\"0198f3a0-5c1e-7d3b-9a2f-1c2d3e4f5a6b\\") { __typename } }"}';

  async function open(proxies = '') {
    const read = readSettings({ TRUSTED_PROXIES: proxies }, '/');
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    const { trustedProxies } = read.settings;
    const api = await openTestApi();
    const listener = await openHttpListener({ host: '127.0.0.1', port: 0, trustedProxies });
    onTestFinished(() => void listener.close());
    listener.answerWith(api.listener);
    return (method: string, target: string, headers: Record<string, string>, body = '') => {
      const all = { Host: 'api.test', 'Content-Length': String(body.length), ...headers };
      const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
      return sendRaw(listener.origin, `${method} ${target} HTTP/1.1\r\n${fields.join('')}\r\n${body}`);
    };
  }

  test.each(['/graphql', '/report', '/export/hosts.csv', '/health', '/nothing'])(
    'nothing of %s is for another origin, and a browser that asks first is told no',
    async (path) => {
      const send = await open();
      const origin = { Origin: 'https://evil.example' };
      const preflight = await send('OPTIONS', path, {
        ...origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type, authorization',
        'Access-Control-Request-Private-Network': 'true',
      });
      const asked = await send('GET', `${path}?query=%7B__typename%7D`, origin);
      for (const { status, headers } of [preflight, asked]) {
        expect(status).toBe(403);
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      }
      // Nor for its own, which needs none of it.
      const own = await send('GET', '/health', { Origin: 'http://api.test' });
      expect([own.status, Object.keys(own.headers).join()]).toEqual([
        200,
        expect.not.stringContaining('access-control'),
      ]);
    },
  );

  test('what a form may send is not read, whoever says that it sent it', async () => {
    const send = await open();
    for (const type of [
      'text/plain',
      'TEXT/PLAIN;charset=utf-8',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      for (const path of ['/graphql', '/report']) {
        const answer = await send('POST', path, { 'Content-Type': type }, mutation);
        expect([answer.status, JSON.parse(answer.text).error]).toEqual([
          415,
          expect.stringMatching(/send JSON/),
        ]);
      }
    }
    expect((await send('POST', '/graphql', { 'Content-Type': 'application/json' }, mutation)).status).toBe(
      200,
    );
  });

  test('no mutation is in an address', async () => {
    const send = await open();
    const target = '/graphql?query=mutation%7BrevokeToken(id:%22a%22)%7B__typename%7D%7D';
    const answer = await send('GET', target, {});
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
  });

  test('behind a proxy its own name is that of the pages; no header makes one of whoever is none', async () => {
    const headers = {
      'Content-Type': 'application/json',
      Origin: 'https://inventory.example.org',
      'X-Forwarded-Host': 'inventory.example.org',
    };
    const behind = await open('127.0.0.1');
    expect((await behind('POST', '/graphql', headers, mutation)).status).toBe(200);
    expect(
      (await behind('POST', '/graphql', { ...headers, Origin: 'https://evil.example' }, mutation)).status,
    ).toBe(403);
    const alone = await open();
    expect((await alone('POST', '/graphql', headers, mutation)).status).toBe(403);
  });
});

test('credentials that a browser sends by itself do not help another site', async () => {
  const api = await openTestApi({ authentication: { isRequired: true } });
  const authorization = `Basic ${Buffer.from('x:osi_t_secret').toString('base64')}`;
  for (const method of ['GET', 'POST']) {
    const headers = { authorization, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
    expect((await api.fetch('/graphql?query={__typename}', { method, headers })).status).toBe(403);
  }
});
