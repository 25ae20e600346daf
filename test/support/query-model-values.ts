/**
 * query-model-values: what each kind of value means to a comparison, told as plainly as the schema's descriptions do.
 *
 * Part of the model of what queries answer: shares no code with the API.
 */
import { isIP } from 'node:net';

/** How a filter compares values. */
export type Compare =
  | 'text'
  | 'number'
  | 'boolean'
  | 'instant'
  | 'duration'
  | 'bytes'
  | 'version'
  | 'ip'
  | 'mac';

/** The tests of one comparison by their names, as GraphQL takes them. */
export type Tests = Record<string, unknown>;

/** How each kind of fact is compared. */
export const compareOf: Record<string, Compare> = {
  text: 'text',
  count: 'number',
  number: 'number',
  bytes: 'bytes',
  hertz: 'number',
  ratio: 'number',
  boolean: 'boolean',
  instant: 'instant',
  duration: 'duration',
  version: 'version',
  ip: 'ip',
  mac: 'mac',
};

/** Whether a value that a host sent is one of its kind: another is unknown. */
export function fits(kind: string, value: unknown): boolean {
  switch (kind) {
    case 'text':
    case 'version':
      return typeof value === 'string' && value !== '';
    case 'count':
    case 'bytes':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'number':
      return Number.isFinite(value);
    case 'hertz':
      return Number.isFinite(value) && (value as number) > 0;
    case 'ratio':
      return Number.isFinite(value) && (value as number) >= 0 && (value as number) <= 1;
    case 'duration':
      return Number.isFinite(value) && (value as number) >= 0;
    case 'boolean':
      return typeof value === 'boolean';
    case 'instant':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(value);
    case 'ip':
      return typeof value === 'string' && isIP(value) > 0;
    default:
      return typeof value === 'string' && /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(value);
  }
}

/** Negative, zero or positive, as for sorting. */
export function order(compare: Compare, a: unknown, b: unknown): number {
  if (compare === 'version') return orderVersions(String(a), String(b));
  const [x, y] = [plain(compare, a), plain(compare, b)];
  if (typeof x === 'string' || typeof y === 'string') return orderText(String(x), String(y));
  return x < y ? -1 : Number(x > y);
}

/** Whether a value, which is null when it is unknown, passes every test that is given. */
export function passes(compare: Compare, value: unknown, { ignoreCase, ...tests }: Tests): boolean {
  const fold = (text: unknown) => (ignoreCase ? withoutCase(text) : text);
  const same = (argument: unknown) => order(compare, fold(value), fold(argument)) === 0;
  const own = compare === 'mac' ? plain('mac', value ?? '') : String(fold(value));
  const part = (argument: unknown) =>
    compare === 'mac' ? String(plain('mac', argument)) : String(fold(argument));
  return Object.entries(tests).every(([name, argument]) => {
    if (name === 'isNull') return (value === null) === argument;
    if (value === null) return false;
    const among = () => (argument as unknown[]).some(same);
    switch (name) {
      case 'eq':
        return same(argument);
      case 'ne':
        return !same(argument);
      case 'in':
        return among();
      case 'notIn':
        return !among();
      case 'lt':
        return order(compare, value, argument) < 0;
      case 'lte':
        return order(compare, value, argument) <= 0;
      case 'gt':
        return order(compare, value, argument) > 0;
      case 'gte':
        return order(compare, value, argument) >= 0;
      case 'contains':
        return String(own).includes(part(argument));
      case 'startsWith':
        return String(own).startsWith(part(argument));
      case 'endsWith':
        return String(own).endsWith(part(argument));
      case 'inSubnet':
        return isWithin(String(value), String(argument));
      case 'notInSubnet':
        return !isWithin(String(value), String(argument));
      case 'matches':
        return isInRange(String(value), String(argument));
      default:
        throw new Error(`the model knows no test ${name}`);
    }
  });
}

/** What stands for a value where equal ones are counted together. */
export function identity(compare: Compare, value: unknown): string {
  if (compare === 'version') return versionParts(String(value)).join('\n');
  return String(plain(compare, value));
}

/** The value as something JavaScript compares. */
function plain(compare: Compare, value: unknown): string | number | bigint {
  switch (compare) {
    case 'number':
      return Number(value);
    case 'boolean':
      return value === true ? 1 : 0;
    case 'bytes':
      return quantity(value, { '': 1, b: 1, kb: 1e3, mb: 1e6, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 });
    case 'duration':
      return quantity(value, { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 });
    case 'instant':
      return Date.parse(String(value));
    case 'ip':
      return addressBits(String(value));
    case 'mac':
      return String(value).toLowerCase().replaceAll('-', ':');
    default:
      return String(value);
  }
}

function quantity(value: unknown, units: Record<string, number>): number {
  if (typeof value === 'number') return value;
  const [, amount, unit = ''] = /^([\d.]+)\s*([a-z]*)$/i.exec(String(value)) ?? [];
  return Number(amount) * (units[unit.toLowerCase()] ?? Number.NaN);
}

/** Letter by letter, so that no letter depends on those around it, as the Greek sigma at the end of a word does. */
export function withoutCase(text: unknown): string {
  return [...String(text)].map((letter) => letter.toLowerCase().replace('ς', 'σ')).join('');
}

/** By the numbers of characters, as databases order bytes of UTF-8. */
export function orderText(a: string, b: string): number {
  const [x, y] = [[...a], [...b]];
  for (let at = 0; at < Math.max(x.length, y.length); at += 1) {
    const difference = (x[at]?.codePointAt(0) ?? -1) - (y[at]?.codePointAt(0) ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Runs of digits without zeros before them, and single other characters. */
function versionParts(version: string): string[] {
  return (version.match(/\d+|\D/g) ?? []).map((part) => part.replace(/^0+(?=\d)/, ''));
}

function orderVersions(a: string, b: string): number {
  const [x, y] = [versionParts(a), versionParts(b)];
  /** A tilde is before the end, numbers before any other text. */
  const rank = (part: string | undefined) =>
    part === '~' ? 0 : part === undefined ? 1 : /\d/.test(part) ? 2 : 3;
  for (let at = 0; at < Math.max(x.length, y.length); at += 1) {
    const [p, q] = [x[at], y[at]];
    if (rank(p) !== rank(q)) return rank(p) - rank(q);
    const difference = rank(p) === 2 ? Number(p) - Number(q) : orderText(p ?? '', q ?? '');
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What stands between `||` must hold as a whole for at least one. */
function isInRange(version: string, range: string): boolean {
  return range.split('||').some((group) =>
    [...group.matchAll(/(>=|<=|!=|>|<|=)?\s*([^\s<>=!|]+)/g)].every(([, operator = '=', bound = '']) => {
      const difference = orderVersions(version, bound);
      if (bound.endsWith('.*')) {
        const start = versionParts(bound.slice(0, -1));
        return start.every((part, at) => versionParts(version)[at] === part);
      }
      if (operator === '=') return difference === 0;
      if (operator === '!=') return difference !== 0;
      if (operator === '>') return difference > 0;
      if (operator === '>=') return difference >= 0;
      return operator === '<' ? difference < 0 : difference <= 0;
    }),
  );
}

/** All 128 bits; of an IPv4 address those of its mapped form. */
function addressBits(address: string): bigint {
  const [, head = '', four] = /^(.*?)(\d+\.\d+\.\d+\.\d+)?$/.exec(address) ?? [];
  const octets = four?.split('.').map(Number) ?? [];
  const low = octets.reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
  if (head === '') return (0xffffn << 32n) | low;
  const wanted = four ? 6 : 8;
  const [left = '', right] = head.replace(/([^:]):$/, '$1').split('::');
  const groups = (text: string) => text.split(':').filter(Boolean);
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = Array<string>(wanted - before.length - after.length).fill('0');
  const high = [...before, ...zeros, ...after].reduce(
    (bits, group) => (bits << 16n) | BigInt(`0x${group}`),
    0n,
  );
  return four ? (high << 32n) | low : high;
}

function isWithin(address: string, subnet: string): boolean {
  const [base = '', prefix] = subnet.split('/');
  const hostBits = BigInt((base.includes(':') ? 128 : 32) - Number(prefix));
  return addressBits(address) >> hostBits === addressBits(base) >> hostBits;
}
