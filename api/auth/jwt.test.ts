/** Tokens of a real issuer: an HTTP server with keys of its own, which it changes. */
import { type CryptoKey, generateKeyPair } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { apiLog } from '../../test/support/api-log.ts';
import { signToken, startIssuer } from '../../test/support/issuer.ts';
import { readSettings } from '../settings.ts';
import { makeVerifyJwt } from './jwt.ts';

const start = Date.parse('2026-05-01T10:00:00Z');
let clock = { now: start };
beforeEach(() => {
  clock = { now: start };
});

type Values = Record<string, unknown>;

function sign(key: CryptoKey | Uint8Array, issuer: string, claims: Values = {}, header: Values = {}) {
  return signToken(key, issuer, { now: start, claims, header });
}

function verifierOf(issuer: string, more: Record<string, string> = {}, log = apiLog()) {
  const read = readSettings(
    {
      AUTH: 'required',
      OIDC_ISSUER: issuer,
      OIDC_AUDIENCE: 'inventory',
      OIDC_SCOPES: 'read=read,admin=admin',
      ...more,
    },
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
  const named = verifierOf(url, { OIDC_SCOPES_CLAIM: 'https://example.org/roles' });
  const token = await sign(key, url, { 'https://example.org/roles': ['admin'] });
  expect(await named(token)).toMatchObject({ scopes: new Set(['admin']) });
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
    ['of a number', sign(key, url, { sub: 1 })],
    ['of nobody, by name', sign(key, url, { sub: '' })],
    ['of a logout', sign(key, url, {}, { typ: 'logout+jwt' })],
    ['of a logout that does not say so', sign(key, url, { events: {} })],
    ['that its holder has to prove with a key', sign(key, url, { cnf: { jkt: 'x' } })],
  ];
  const all = { ...refused, reason: expect.stringMatching(/./) };
  for (const [what, token] of wrong) expect([what, await verify(await token)]).toEqual([what, all]);
  expect(await verify(await sign(key, url, { aud: 'payroll' }))).toMatchObject({
    reason: expect.stringContaining('"aud"'),
  });
  expect(await verify(await sign(key, url, { exp: start / 1_000 - 60 }))).toMatchObject({
    message: /has expired/,
  });
  // Clocks differ by seconds.
  expect(await verify(await sign(key, url, { exp: start / 1_000 - 20 }))).toMatchObject({ kind: 'person' });
  expect(await verify(good)).toMatchObject({ kind: 'person' });
});

describe('types of tokens', () => {
  test.each(['JWT', 'at+jwt', 'application/at+jwt', 'AT+JWT'])('%s is that of one to show', async (typ) => {
    const { url, addKey } = await startIssuer();
    const token = await sign(await addKey('a'), url, {}, { typ });
    expect(await verifierOf(url)(token)).toMatchObject({ kind: 'person' });
  });
});

test.each(['RS256', 'PS384', 'ES512', 'EdDSA'])('a signature by %s is taken', async (alg) => {
  const { url, addKey } = await startIssuer();
  const token = await sign(await addKey('a', alg), url, {}, { alg });
  expect(await verifierOf(url)(token)).toMatchObject({ kind: 'person' });
});

test('a key of the issuer that is none keeps nobody else out, and whoever names it', async () => {
  const { url, addKey, keys } = await startIssuer();
  keys.push({ kty: 'RSA', kid: 'short', n: 'AQAB', e: 'AQAB' });
  keys.push({ kty: 'EC', kid: 'broken', crv: 'P-256', x: 'AA', y: 'AA' });
  const good = await sign(await addKey('a'), url);
  const verify = verifierOf(url);
  const [, body, signature] = good.split('.');
  for (const header of [
    { alg: 'RS256', kid: 'short' },
    { alg: 'ES256', kid: 'broken' },
  ]) {
    const head = Buffer.from(JSON.stringify(header)).toString('base64url');
    expect(await verify(`${head}.${body}.${signature}`)).toMatchObject({ code: 'UNAUTHENTICATED' });
  }
  expect(await verify(good)).toMatchObject({ kind: 'person' });
});

test('while the issuer is away that is what its tokens are answered', async () => {
  const issuer = await startIssuer();
  const token = await sign(await issuer.addKey('a'), issuer.url);
  issuer.mood = 'fails';
  expect(await verifierOf(issuer.url)(token)).toMatchObject({ code: 'UNAVAILABLE' });
});
