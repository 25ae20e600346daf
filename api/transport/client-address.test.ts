import { expect, test } from 'vitest';
import { readSettings } from '../settings.ts';
import { clientOf } from './client-address.ts';

function trusting(list: string) {
  const read = readSettings({ TRUSTED_PROXIES: list }, '/');
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.settings.trustedProxies;
}

const proxies = trusting('10.0.0.0/8, 192.0.2.1, fd00::/8');

test.each([
  [
    'what is not a proxy may say what it likes',
    '203.0.113.9',
    { 'x-forwarded-for': '1.2.3.4' },
    '203.0.113.9',
  ],
  ['a proxy that says nothing is the client', '10.0.0.1', {}, '10.0.0.1'],
  ['the address that a proxy saw', '10.0.0.1', { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
  [
    'what the client wrote itself stands left',
    '10.0.0.1',
    { 'x-forwarded-for': '1.2.3.4, 203.0.113.9' },
    '203.0.113.9',
  ],
  [
    'through two proxies',
    '10.0.0.1',
    { 'x-forwarded-for': '203.0.113.9, 10.9.9.9, 192.0.2.1' },
    '203.0.113.9',
  ],
  ['a client that is a proxy', '10.0.0.1', { 'x-forwarded-for': '10.7.7.7' }, '10.7.7.7'],
  ['IPv4 within IPv6', '::ffff:10.0.0.1', { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
  ['IPv6 in the one way of writing', 'fd00::1', { 'x-forwarded-for': '2001:DB8:0::1' }, '2001:db8::1'],
  ['with ports', '10.0.0.1', { 'x-forwarded-for': '203.0.113.9:4711, [fd00::2]:80' }, '203.0.113.9'],
  ['nonsense is where it ends', '10.0.0.1', { 'x-forwarded-for': '203.0.113.9, unknown' }, '10.0.0.1'],
  [
    'RFC 7239',
    '10.0.0.1',
    { forwarded: 'for=1.2.3.4, for="[2001:db8::7]:4711";proto=https;by=10.0.0.1' },
    '2001:db8::7',
  ],
  [
    'RFC 7239 comes first',
    '10.0.0.1',
    { forwarded: 'for=203.0.113.9', 'x-forwarded-for': '1.2.3.4' },
    '203.0.113.9',
  ],
  ['RFC 7239, obfuscated', '10.0.0.1', { forwarded: 'for=_hidden' }, '10.0.0.1'],
])('%s', (_what, remoteAddress, headers, expected) => {
  expect(clientOf({ headers, socket: { remoteAddress } }, proxies).address).toBe(expected);
});

test('the name that the client used is taken from a proxy alone', () => {
  const headers = { 'x-forwarded-host': 'inventory.example.org' };
  expect(clientOf({ headers, socket: { remoteAddress: '10.0.0.1' } }, proxies).host).toBe(
    'inventory.example.org',
  );
  expect(clientOf({ headers, socket: { remoteAddress: '203.0.113.9' } }, proxies).host).toBeNull();
  expect(clientOf({ headers, socket: { remoteAddress: '10.0.0.1' } }, []).host).toBeNull();
  const forwarded = { forwarded: 'for=203.0.113.9;host="inventory.example.org"' };
  expect(clientOf({ headers: forwarded, socket: { remoteAddress: '10.0.0.1' } }, proxies).host).toBe(
    'inventory.example.org',
  );
});
