import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  boolean,
  bytes,
  count,
  duration,
  type Fact,
  type FactValues,
  factSchema,
  factsJsonSchema,
  factsSchema,
  hertz,
  instant,
  ip,
  isScalar,
  list,
  mac,
  number,
  ratio,
  scalarKinds,
  text,
  unitOf,
  version,
} from './fact.ts';

const cases: Record<string, { fact: Fact; accepts: unknown[]; refuses: unknown[] }> = {
  text: {
    fact: text('words'),
    accepts: ['a', ' ', 'Zoë', 'whole \u{1f600}', 'x'.repeat(65_536)],
    refuses: ['', 1, true, [], {}, 'x'.repeat(65_537), 'half \ud83d', '\ude00', 'a\0b'],
  },
  count: {
    fact: count('how many'),
    accepts: [0, 1, Number.MAX_SAFE_INTEGER],
    refuses: [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, Number.MAX_SAFE_INTEGER + 1],
  },
  number: {
    fact: number('how much'),
    accepts: [0, -1.5, 1e300],
    refuses: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '1'],
  },
  bytes: { fact: bytes('size'), accepts: [0, 2 ** 50], refuses: [-1, 0.5, '1 GiB'] },
  hertz: { fact: hertz('clock'), accepts: [1, 2.4e9, 0.5], refuses: [0, -1, '2 GHz'] },
  ratio: { fact: ratio('share'), accepts: [0, 0.5, 1], refuses: [-0.01, 1.01, Number.NaN, '50%'] },
  boolean: { fact: boolean('whether'), accepts: [true, false], refuses: [0, 1, 'true', ''] },
  instant: {
    fact: instant('when'),
    accepts: ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.123+02:00'],
    refuses: ['2024-02-30T12:00:00Z', '2024-02-29T12:00:00', '2024-02-29', 1_700_000_000, new Date(), ''],
  },
  duration: { fact: duration('how long'), accepts: [0, 0.25, 1e9], refuses: [-1, '1s', Number.NaN] },
  version: { fact: version('release'), accepts: ['12', '6.1.0-37-amd64', 'rolling'], refuses: ['', 12] },
  ip: {
    fact: ip('address'),
    accepts: ['192.0.2.1', '::', '2001:db8::1', '::ffff:192.0.2.1'],
    refuses: ['192.0.2', '192.0.2.1/24', 'fe80::1%eth0', '256.0.0.1', 'localhost', '', 1],
  },
  mac: {
    fact: mac('hardware address'),
    accepts: [
      '52:54:00:12:34:56',
      '00:11:22:33:44:55:66:77',
      '00:00:10:49:fe:80:00:00:00:00:00:00:b8:ce:f6:03:00:5b:90:7e',
    ],
    refuses: [
      '52:54:00:12:34',
      '52:54:00:12:34:56:78',
      '52:54:00:12:34:56:78:9a:bc',
      '52:54:00:12:34:5G',
      '52-54-00-12-34-56',
      '52:54:00:AB:CD:EF',
      '',
    ],
  },
};

test('there is a case for each kind', () => {
  expect(Object.keys(cases)).toEqual(Object.keys(scalarKinds));
});

/** In a test's name. */
function shown(value: unknown): string {
  return inspect(value, { maxStringLength: 60 });
}

describe.each(Object.entries(cases))('%s', (kind, { fact, accepts, refuses }) => {
  test('is what its function declares', () => {
    expect(fact.kind).toBe(kind);
    expect(fact.nullable).toBe(true);
  });
  for (const value of accepts) {
    test(`accepts ${shown(value)}`, () => {
      expect(factSchema(fact).safeParse(value)).toMatchObject({ success: true, data: value });
    });
  }
  for (const value of refuses) {
    test(`refuses ${shown(value)}`, () => {
      expect(factSchema(fact).safeParse(value).success).toBe(false);
    });
  }
  test('is null where it is unknown, unless it is declared never to be', () => {
    const known: Fact = { ...fact, nullable: false };
    for (const unknown of [null, undefined]) {
      expect(factSchema(fact).safeParse(unknown).success).toBe(true);
      expect(factSchema(known).safeParse(unknown).success).toBe(false);
    }
  });
  test('without `nullable` may be null', () => {
    expect(factSchema({ kind: fact.kind, description: 'x' } as Fact).safeParse(null).success).toBe(true);
  });
});

test('a list of values and a list of records', () => {
  const servers = list('servers', ip('address'));
  expect(factSchema(servers).safeParse(['192.0.2.1', '::1']).success).toBe(true);
  expect(factSchema(servers).safeParse([]).success).toBe(true);
  expect(factSchema(servers).safeParse(null).success).toBe(true);
  expect(factSchema(servers).safeParse(['x']).error?.issues[0]?.path).toEqual([0]);
  expect(factSchema(servers).safeParse([null]).success).toBe(false);
  expect(factSchema(servers).safeParse('192.0.2.1').success).toBe(false);
  const disks = list('disks', { name: text('name', { nullable: false }), size: bytes('size') });
  expect(factSchema(disks).safeParse([{ name: 'sda' }, { name: 'sdb', size: null }]).success).toBe(true);
  expect(factSchema(disks).safeParse([{ size: 1 }]).error?.issues[0]?.path).toEqual([0, 'name']);
  expect(factSchema(disks).safeParse([{ name: 'sda', colour: 'red' }]).success).toBe(false);
});

test('a list is one of values when `kind` is its kind, and of records when `kind` is a fact', () => {
  expect(isScalar(text('x'))).toBe(true);
  expect(isScalar({ name: text('x') })).toBe(false);
  expect(isScalar({ kind: text('a fact that is called kind') })).toBe(false);
});

test('lists may lie in lists', () => {
  const interfaces = list('interfaces', { addresses: list('addresses', { address: ip('address') }) });
  expect(factSchema(interfaces).safeParse([{ addresses: [{ address: '::1' }] }]).success).toBe(true);
  const { error } = factSchema(interfaces).safeParse([{ addresses: [{ address: 'x' }] }]);
  expect(error?.issues[0]?.path).toEqual([0, 'addresses', 0, 'address']);
});

test('units follow from the kind, and a number names its own', () => {
  expect(unitOf(bytes('x'))).toBe('bytes');
  expect(unitOf(hertz('x'))).toBe('hertz');
  expect(unitOf(duration('x'))).toBe('seconds');
  expect(unitOf(number('x'))).toBeNull();
  expect(unitOf(number('x', { unit: 'celsius' }))).toBe('celsius');
  expect(unitOf(list('x', bytes('y')))).toBeNull();
});

test('schemas are made once for each declaration', () => {
  const fact = text('x');
  expect(factSchema(fact)).toBe(factSchema(fact));
  const facts = { fact };
  expect(factsSchema(facts)).toBe(factsSchema(facts));
});

test('JSON Schema names what must be there, and describes the rest', () => {
  const schema = factsJsonSchema({
    name: text('Its name', { nullable: false }),
    address: ip('Where it is'),
    disks: list('What it has', { size: bytes('How large') }),
  });
  expect(schema).toMatchObject({
    type: 'object',
    required: ['name'],
    additionalProperties: false,
    properties: { name: { type: 'string', description: 'Its name' } },
  });
  expect(JSON.stringify(schema)).toContain('"format":"ipv6"');
  expect(JSON.stringify(schema)).toContain('How large');
});

test('types of values follow from the declaration', () => {
  const facts = {
    name: text('x', { nullable: false }),
    threads: count('x'),
    isBusy: boolean('x'),
    servers: list('x', ip('x')),
    disks: list('x', { name: text('x', { nullable: false }), size: bytes('x') }, { nullable: false }),
  };
  type Values = FactValues<typeof facts>;
  expectTypeOf<Values['name']>().toEqualTypeOf<string>();
  expectTypeOf<Values['threads']>().toEqualTypeOf<number | null | undefined>();
  expectTypeOf<Values['isBusy']>().toEqualTypeOf<boolean | null | undefined>();
  expectTypeOf<Values['servers']>().toEqualTypeOf<string[] | null | undefined>();
  expectTypeOf<Values['disks'][number]['name']>().toEqualTypeOf<string>();
  expectTypeOf<Values['disks'][number]['size']>().toEqualTypeOf<number | null | undefined>();
  // @ts-expect-error name is never unknown
  const unnamed: Values = { disks: [] };
  // @ts-expect-error threads is a number
  const wrong: Values = { name: 'x', disks: [], threads: '4' };
  expect([unnamed, wrong]).toHaveLength(2);
});
