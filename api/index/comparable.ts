/**
 * comparable: turns values into keys that a database orders and matches without knowing their kind.
 *
 * Numbers, booleans and instants become numbers; texts, versions and addresses become text whose
 * plain order is the order of the kind. One module for what is stored and what is asked for.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Comparison } from '../../plugins/fact.ts';

export type Comparable = string | number;

const numeric: ReadonlySet<Comparison> = new Set(['number', 'boolean', 'instant', 'duration', 'bytes']);

/** Which of the two columns a comparison uses. */
export function columnOf(comparison: Comparison): 'text' | 'number' {
  return numeric.has(comparison) ? 'number' : 'text';
}

/**
 * The key of a value that fits its kind.
 *
 * @throws TypeError when it does not
 */
export function toComparable(comparison: Comparison, value: unknown): Comparable {
  switch (comparison) {
    case 'number':
    case 'duration':
    case 'bytes':
      if (typeof value === 'number') return value;
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value ? 1 : 0;
      break;
    case 'instant': {
      const ms = value instanceof Date ? value.getTime() : Date.parse(String(value));
      if (!Number.isNaN(ms)) return ms;
      break;
    }
    case 'text':
      if (typeof value === 'string') return withoutNul(value);
      break;
    case 'mac':
      if (typeof value === 'string') return value.toLowerCase().replaceAll('-', ':');
      break;
    case 'version':
      if (typeof value === 'string') return versionKey(withoutNul(value));
      break;
    case 'ip':
      if (typeof value === 'string' && isIP(value)) return addressKey(ipaddr.parse(value));
      break;
  }
  throw notOfKind(comparison, value);
}

/** What to say of a value that does not fit its kind. */
export function notOfKind(comparison: Comparison, value: unknown): TypeError {
  return new TypeError(`not ${wanted[comparison]}: ${JSON.stringify(value)}`);
}

const wanted: Record<Comparison, string> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  instant: 'a point in time such as 2026-05-01T10:00:00Z',
  duration: 'a number of seconds or a text such as "90s"',
  bytes: 'a number of bytes such as 4096 or "4GiB"',
  version: 'a version such as 6.1.90',
  ip: 'an IP address such as 10.2.0.7 or 2001:db8::7',
  mac: 'a MAC address such as 52:54:00:12:34:56',
};

/**
 * Versions as text in version order: runs of digits compare as numbers, everything else as text, and
 * `~` comes before the end, so that 1.0~rc1 is older than 1.0, as Debian and RPM have it.
 */
export function versionKey(version: string): string {
  const parts = version.match(/\d+|\D/g) ?? [];
  return `${parts.map(partKey).join('')}${endOfVersion}`;
}

/** What the keys of all versions begin with that begin with this text, which ends where a part does. */
export function versionPrefix(text: string): string {
  return versionKey(text).slice(0, -endOfVersion.length);
}

/** Sorts after `~` and before everything else that may follow. */
const endOfVersion = '!';

function partKey(part: string): string {
  if (part === '~') return ' ';
  if (!/^\d/.test(part)) return `#${part}`;
  const digits = part.replace(/^0+(?=\d)/, '');
  // The count of digits first: it decides between numbers before any digit does.
  return `"${digits.length.toString().padStart(5, '0')}${digits}`;
}

/** First and last key of a subnet such as `10.2.0.0/16` or `2001:db8::/32`; null when it is none. */
export function subnetKeys(cidr: string): { first: string; last: string } | null {
  // Host bits are welcome, as in 10.2.3.4/16; short forms such as 10/8 are not: they read two ways.
  if (!isIP(cidr.split('/')[0] ?? '') || !ipaddr.isValidCIDR(cidr)) return null;
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  const hostBits = (address.kind() === 'ipv4' ? 32 : 128) - prefix;
  const key = BigInt(`0x${addressKey(address)}`);
  const mask = (1n << BigInt(hostBits)) - 1n;
  return { first: hex(key & ~mask), last: hex(key | mask) };
}

/** All addresses as sixteen octets in hexadecimal, IPv4 in its mapped form, so that one order holds both. */
function addressKey(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  const wide = address.kind() === 'ipv4' ? (address as ipaddr.IPv4).toIPv4MappedAddress() : address;
  return wide
    .toByteArray()
    .map((octet) => octet.toString(16).padStart(2, '0'))
    .join('');
}

function hex(key: bigint): string {
  return key.toString(16).padStart(32, '0');
}

/** Text as it is compared where case does not matter. */
export function foldCase(text: string): string {
  return text.toLowerCase();
}

/** PostgreSQL has no text with U+0000, and SQLite's functions end there. */
export function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}
