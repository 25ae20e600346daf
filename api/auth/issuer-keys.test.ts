/** The keys of a real issuer, that changes them, is away, hangs, and says odd things of itself. */
import { errors, type JWSHeaderParameters } from 'jose';
import { beforeEach, expect, test } from 'vitest';
import { apiLog } from '../../test/support/api-log.ts';
import { eventually } from '../../test/support/eventually.ts';
import { type Issuer, startIssuer } from '../../test/support/issuer.ts';
import { IssuerAwayError, openIssuerKeys } from './issuer-keys.ts';

const second = 1_000;
const hour = 3_600 * second;

let issuer: Issuer;
let now = 0;
const token = { payload: '', signature: '' };
beforeEach(async () => {
  now = Date.parse('2026-05-01T10:00:00Z');
  issuer = await startIssuer();
  await issuer.addKey('a');
});

function open(jwksUrl: string | null = null) {
  const log = apiLog();
  const settings = { issuer: issuer.url, jwksUrl };
  const keyOf = openIssuerKeys({ settings, logger: log.logger, now: () => now });
  /** The type of a key; else what kept it from being found. */
  const ask = async (kid: string) => {
    const header: JWSHeaderParameters = { alg: 'ES256', kid };
    try {
      return ((await keyOf({ ...header, alg: 'ES256' }, token)) as CryptoKey).type;
    } catch (cause) {
      if (cause instanceof IssuerAwayError) return 'away';
      return cause instanceof errors.JWKSNoMatchingKey ? 'unknown' : Promise.reject(cause);
    }
  };
  const messages = () => log.lines().map(({ msg }) => msg);
  return { ask, messages, log };
}

const all = (asked: Promise<string>[]) => Promise.all(asked);
const many = Array.from({ length: 50 }, (_, index) => `made up ${index}`);

test('however many ask at once, and for whatever, the issuer is asked once', async () => {
  const { ask, messages } = open();
  expect(new Set(await all([...many, 'a'].map(ask)))).toEqual(new Set(['unknown', 'public']));
  // What it says of itself, and its keys.
  expect(issuer.requests()).toBe(2);
  for (const kid of many) expect(await ask(kid)).toBe('unknown');
  expect(issuer.requests()).toBe(2);
  expect(messages()).toEqual([]);
});

test('a key that is new is found, and one that was taken back is not', async () => {
  const { ask } = open();
  expect(await ask('a')).toBe('public');
  await issuer.addKey('b');
  issuer.keys.shift();
  now += 9 * second;
  expect(await ask('b')).toBe('unknown');
  expect(await ask('a')).toBe('public');
  now += 1 * second;
  expect(await ask('b')).toBe('public');
  expect(await ask('a')).toBe('unknown');
  issuer.keys.shift();
  now += hour;
  expect(await ask('b')).toBe('unknown');
});

test('its keys may move', async () => {
  const { ask } = open();
  expect(await ask('a')).toBe('public');
  const other = await startIssuer();
  await other.addKey('c');
  issuer.metadata = { jwks_uri: `${other.url}/keys` };
  now += 10 * second;
  expect(await ask('c')).toBe('public');
});

test('where OIDC_JWKS_URL says where they are, nothing else is asked', async () => {
  const { ask } = open(`${issuer.url}/keys`);
  expect(await ask('a')).toBe('public');
  expect(issuer.requests()).toBe(1);
});

test('of an issuer that is away known keys go on for a day, and the log tells that once in a while', async () => {
  const { ask, messages } = open();
  expect(await ask('a')).toBe('public');
  issuer.mood = 'fails';
  now += 1 * hour;
  for (let more = 0; more < 20; more += 1) {
    expect(await ask('a')).toBe('public');
    expect(await all(many.map(ask))).toEqual(many.map(() => 'away'));
  }
  const away = 'the identity provider does not answer';
  expect(messages()).toEqual([away]);
  expect(issuer.requests()).toBe(3);
  now += 23.1 * hour;
  expect(await ask('a')).toBe('away');

  issuer.mood = 'answers';
  now += 10 * second;
  await eventually('it is known again', async () => (await ask('a')) === 'public');
  expect(messages().at(-1)).toBe('the identity provider answers again');
});

test('nobody waits for one that hangs, once it has been found to', async () => {
  const { ask, messages } = open();
  expect(await ask('a')).toBe('public');
  issuer.mood = 'fails';
  now += 10 * second;
  expect(await ask('new')).toBe('away');
  issuer.mood = 'hangs';
  now += 1 * hour;
  const before = issuer.requests();
  expect(await ask('a')).toBe('public');
  expect(await all(many.map(ask))).toEqual(many.map(() => 'away'));
  await eventually('it has been asked', () => issuer.requests() === before + 1);
  // Its patience is not over: what was answered was not waited for.
  expect(messages()).toHaveLength(1);
});

test.each([
  ['of another name', { issuer: 'https://elsewhere.example.org' }, /is that of https:\/\/elsewhere/],
  ['of no name', { issuer: undefined }, /is OIDC_ISSUER right/],
  ['with keys that anyone on the way could change', { jwks_uri: 'http://id.example.org/keys' }, /https/],
  ['with keys in a file', { jwks_uri: 'file:///etc/passwd' }, /https/],
  ['with no keys', { jwks_uri: undefined }, /jwks_uri .* cannot be used/],
])('an issuer %s is not believed', async (_what, metadata, message) => {
  issuer.metadata = metadata;
  const { ask, log } = open();
  expect(await ask('a')).toBe('away');
  expect(log.lines()).toMatchObject([{ err: { message: expect.stringMatching(message) } }]);
  expect(issuer.requests()).toBe(1);
});

test('one that sends elsewhere is not followed: keys come from where the settings say', async () => {
  issuer.mood = 'redirects';
  expect(await open().ask('a')).toBe('away');
  expect(await open(`${issuer.url}/keys`).ask('a')).toBe('away');
});

test('one that does not answer is in the log before anybody needs it', async () => {
  issuer.mood = 'fails';
  const { messages, log } = open();
  await eventually('it is told', () => messages().length === 1);
  const message = expect.stringMatching(/openid-configuration cannot be read: HTTP status 500$/);
  expect(log.lines()).toMatchObject([{ level: 40, err: { message } }]);
});

test('a clock that is set back does not keep old keys', async () => {
  const { ask } = open();
  expect(await ask('a')).toBe('public');
  issuer.keys.shift();
  now -= 2 * hour;
  expect(await ask('a')).toBe('unknown');
});
