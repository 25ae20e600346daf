/** Tokens of a real issuer: an HTTP server with keys of its own, which it changes. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { apiLog } from '../../test/support/api-log.ts';
import { readSettings } from '../settings.ts';
import { makeVerifyJwt } from './jwt.ts';

const start = Date.parse('2026-05-01T10:00:00Z');
let clock = { now: start };
beforeEach(() => {
  clock = { now: start };
});

async function startIssuer() {
  const keys: JWK[] = [];
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const body = request.url === '/keys' ? { keys } : { issuer: url, jwks_uri: `${url}/keys` };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(async () => void (await stop().catch(() => {})));
  const addKey = async (kid: string, alg = 'ES256') => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    keys.push({ ...(await exportJWK(publicKey)), kid, alg });
    return privateKey;
  };
  return { url, keys, stop, addKey, requests: () => requests };
}

type Claims = Record<string, unknown>;

function sign(key: CryptoKey | Uint8Array, issuer: string, claims: Claims = {}, header: Claims = {}) {
  const seconds = start / 1_000;
  const usual = { iss: issuer, aud: 'inventory', sub: 'u-1', exp: seconds + 600, scope: 'openid read' };
  const all = Object.fromEntries(
    Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'a', ...header }).sign(key);
}

function verifierOf(issuer: string, more: Record<string, string> = {}, log = apiLog()) {
  const read = readSettings(
    { AUTH: 'required', OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'inventory', ...more },
    '/',
  );
  if ('problems' in read || !read.settings.oidc) throw new Error(JSON.stringify(read));
  return makeVerifyJwt({ settings: read.settings.oidc, logger: log.logger, now: () => clock.now });
}

test('a token of the issuer says who somebody is, and by its claim what they may do', async () => {
  const { url, addKey } = await startIssuer();
  const key = await addKey('a');
  const verify = verifierOf(url);
  expect(await verify(await sign(key, url, { preferred_username: 'ada' }))).toEqual({
    ...{ kind: 'person', id: 'u-1', name: 'ada', scopes: new Set(['read']), narrowedTo: null },
    goodUntil: start + 630_000,
  });
  expect(await verify(await sign(key, url, { scope: undefined }))).toMatchObject({
    name: 'u-1',
    scopes: new Set(),
  });
  const byGroup = verifierOf(url, {
    OIDC_SCOPES_CLAIM: 'realm_access.roles',
    OIDC_SCOPES: 'engineers=read, engineers=submit, inventory-admins=admin',
  });
  const roles = (names: unknown) => sign(key, url, { realm_access: { roles: names } });
  expect(await byGroup(await roles(['staff', 'engineers']))).toMatchObject({
    scopes: new Set(['read', 'submit']),
  });
  expect(await byGroup(await roles(['inventory-admins']))).toMatchObject({ scopes: new Set(['admin']) });
  expect(await byGroup(await roles('constructor'))).toMatchObject({ scopes: new Set() });
  expect(await byGroup(await sign(key, url, { scope: 'admin' }))).toMatchObject({ scopes: new Set() });
});

test('what is wrong with a token keeps its holder out', async () => {
  const { url, addKey, keys } = await startIssuer();
  const key = await addKey('a');
  const { privateKey: other } = await generateKeyPair('ES256');
  const verify = verifierOf(url);
  const refused = { code: 'UNAUTHENTICATED', message: 'these credentials are not known here' };
  const publicText = new TextEncoder().encode(JSON.stringify(keys[0]));
  const good = await sign(key, url);
  const [head = '', body = '', signature = ''] = good.split('.');
  const none = Buffer.from('{"alg":"none","kid":"a"}').toString('base64url');
  const admin = Buffer.from(
    Buffer.from(body, 'base64url').toString().replace('openid read', 'admin'),
  ).toString('base64url');
  const wrong: [string, string | Promise<string>][] = [
    ['of another issuer', sign(key, 'https://elsewhere.example.org')],
    ['for another audience', sign(key, url, { aud: 'payroll' })],
    ['for no audience', sign(key, url, { aud: undefined })],
    ['not good yet', sign(key, url, { nbf: start / 1_000 + 60 })],
    ['that never ends', sign(key, url, { exp: undefined })],
    ['of nobody', sign(key, url, { sub: undefined })],
    ['with a key that is not the issuer’s', sign(other, url)],
    ['with a key that nobody knows', sign(other, url, {}, { kid: 'b' })],
    ['signed by nobody', `${none}.${body}.`],
    ['signed with the public key as a secret', sign(publicText, url, {}, { alg: 'HS256' })],
    ['that was changed', `${head}.${admin}.${signature}`],
    ['cut short', good.slice(0, -10)],
    ['that is none', 'a.b.c'],
  ];
  for (const [what, token] of wrong) expect([what, await verify(await token)]).toEqual([what, refused]);
  expect(await verify(await sign(key, url, { exp: start / 1_000 - 60 }))).toMatchObject({
    message: /has expired/,
  });
  // Clocks differ by seconds.
  expect(await verify(await sign(key, url, { exp: start / 1_000 - 20 }))).toMatchObject({ kind: 'person' });
  expect(await verify(good)).toMatchObject({ kind: 'person' });
});

test('a key that the issuer changes is asked for; while it does not answer, known keys go on', async () => {
  const { url, addKey, stop, requests } = await startIssuer();
  const first = await addKey('a');
  const log = apiLog();
  const verify = verifierOf(url, {}, log);
  const token = await sign(first, url, { exp: start / 1_000 + 100_000 });
  expect(await verify(token)).toMatchObject({ kind: 'person' });
  expect(await verify(token)).toMatchObject({ kind: 'person' });
  expect(requests()).toBe(2);
  await stop();
  expect(await verify(token)).toMatchObject({ kind: 'person' });
  const unheard = verifierOf(url, {}, log);
  expect(await unheard(token)).toMatchObject({ code: 'UNAVAILABLE' });
  expect(log.lines()[0]).toMatchObject({ msg: 'the identity provider does not answer' });
  expect(log.text()).not.toContain(token);
});

test('an issuer that says to be another one is not believed', async () => {
  const { url, addKey } = await startIssuer();
  const key = await addKey('a');
  const alias = url.replace('127.0.0.1', 'localhost');
  expect(await verifierOf(alias)(await sign(key, alias))).toMatchObject({ code: 'UNAVAILABLE' });
});
