import { describe, expect, test } from 'vitest';
import { subnetKeys, toComparable, versionKey } from './comparable.ts';

describe('versions', () => {
  test('sort part by part, numbers as numbers', () => {
    const inOrder = [
      ...[
        '0',
        '0.9',
        '1.0~alpha',
        '1.0~rc1',
        '1.0',
        '1.0-1',
        '1.0.1',
        '1.2',
        '1.9',
        '1.10',
        '1.10a',
        '2',
        '5.15.0-91',
      ],
      ...['5.15.0-105', '6.1', '6.1.9', '6.1.90', '6.1.100', '6.6.0', '10', '24.04', '100000000000000000000'],
    ];
    const shuffled = inOrder.toSorted((a, b) => (`${a.length}${a}` < `${b.length}${b}` ? -1 : 1));
    const sorted = shuffled.toSorted((a, b) => (versionKey(a) < versionKey(b) ? -1 : 1));
    expect(sorted).toEqual(inOrder);
  });

  test('leading zeros make no difference', () => {
    expect(versionKey('6.01')).toBe(versionKey('6.1'));
    expect(versionKey('6.10')).not.toBe(versionKey('6.1'));
  });
});

describe('addresses', () => {
  test('are equal however they are written', () => {
    expect(toComparable('ip', '2001:DB8:0:0::1')).toBe(toComparable('ip', '2001:db8::1'));
    expect(toComparable('ip', '::ffff:10.0.0.1')).toBe(toComparable('ip', '10.0.0.1'));
  });

  test.each([
    ['10.2.0.0/16', ['10.2.0.0', '10.2.255.255'], ['10.1.255.255', '10.3.0.0', '2001:db8::1']],
    ['10.2.3.4/16', ['10.2.0.0'], ['10.3.0.0']],
    ['192.0.2.7/32', ['192.0.2.7'], ['192.0.2.8']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['::1', '2001:db8::1']],
    ['2001:db8::/32', ['2001:db8::', '2001:db8:ffff::1'], ['2001:db9::', '10.0.0.1']],
    ['::/0', ['::', 'ffff::', '10.0.0.1'], []],
  ])('%s holds what lies in it', (cidr, inside, outside) => {
    const keys = subnetKeys(cidr);
    const holds = (address: string) => {
      const key = toComparable('ip', address);
      return keys !== null && key >= keys.first && key <= keys.last;
    };
    expect(inside.filter(holds)).toEqual(inside);
    expect(outside.filter(holds)).toEqual([]);
  });

  test.each(['10/8', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '::/129', '/8', 'x/8', ''])(
    '%j is no subnet',
    (cidr) => {
      expect(subnetKeys(cidr)).toBeNull();
    },
  );
});

test('instants are the same moment whatever their offset', () => {
  expect(toComparable('instant', '2026-05-01T12:00:00+02:00')).toBe(
    toComparable('instant', new Date('2026-05-01T10:00:00Z')),
  );
});

test.each([
  ['number', '1', 'a number'],
  ['boolean', 1, 'true or false'],
  ['instant', 'yesterday', 'a point in time such as'],
  ['text', 1, 'a text'],
  ['version', null, 'a version such as'],
  ['ip', '10.0.0', 'an IP address such as'],
  ['ip', '10.0.0.1/8', 'an IP address such as'],
] as const)('%s refuses %j', (comparison, value, wanted) => {
  expect(() => toComparable(comparison, value)).toThrow(`not ${wanted}`);
});
