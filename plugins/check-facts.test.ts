import { expect, test } from 'vitest';
import { seededRandom } from '../test/support/noise.ts';
import { checkFacts } from './check-facts.ts';
import { count, ip, list, mac, type ScalarKind, scalarKinds, text } from './fact.ts';

const facts = {
  name: text('name', { nullable: false }),
  threads: count('threads'),
  interfaces: list('interfaces', {
    mac: mac('mac'),
    addresses: list('addresses', { address: ip('address', { nullable: false }), label: text('label') }),
  }),
  servers: list('servers', ip('address')),
};

test('what fits comes back complete and in declared order', () => {
  const input = {
    interfaces: [{ addresses: [{ address: '::1' }] }, { mac: '52:54:00:12:34:56' }],
    name: 'web1',
  };
  const { values, problems, undeclared } = checkFacts(facts, input);
  expect(problems).toEqual([]);
  expect(undeclared).toEqual([]);
  expect(values).toEqual({
    name: 'web1',
    threads: null,
    interfaces: [
      { mac: null, addresses: [{ address: '::1', label: null }] },
      { mac: '52:54:00:12:34:56', addresses: null },
    ],
    servers: null,
  });
  expect(Object.keys(values)).toEqual(Object.keys(facts));
});

test('left out and null are the same', () => {
  const given = checkFacts(facts, { name: 'a', threads: null, interfaces: [{ mac: null, addresses: null }] });
  const leftOut = checkFacts(facts, { name: 'a', interfaces: [{}] });
  expect(JSON.stringify(given.values)).toBe(JSON.stringify(leftOut.values));
});

test('a value that does not fit costs itself alone, and is named by its path', () => {
  const input = {
    name: 'web1',
    threads: -4,
    interfaces: [{ addresses: [{ address: '::1' }, { address: 'x' }] }, 'eth0'],
    servers: ['192.0.2.1', 'x'],
  };
  const { values, problems } = checkFacts(facts, input);
  expect(values).toEqual({
    name: 'web1',
    threads: null,
    interfaces: [
      {
        mac: null,
        addresses: [
          { address: '::1', label: null },
          { address: null, label: null },
        ],
      },
    ],
    servers: ['192.0.2.1'],
  });
  expect(problems.map(({ path }) => path)).toEqual([
    'threads',
    'interfaces.0.addresses.1.address',
    'interfaces.1',
    'servers.1',
  ]);
  for (const { message } of problems) expect(message).not.toBe('');
});

test('names that are not declared are told apart', () => {
  const input = { name: 'a', colour: 'red', constructor: 1, interfaces: [{ speed: 1 }] };
  const { problems, undeclared } = checkFacts(facts, input);
  expect(undeclared).toEqual(['colour', 'constructor', 'interfaces.0.speed']);
  expect(problems).toEqual([]);
});

test('what an object has by nature is no fact', () => {
  const { values, problems } = checkFacts({ constructor: text('x'), toString: text('y') }, {});
  expect(values).toEqual({ constructor: null, toString: null });
  expect(problems).toEqual([]);
});

test('a fact that is never null must be there', () => {
  expect(checkFacts(facts, {}).problems.map(({ path }) => path)).toEqual(['name']);
  expect(checkFacts(facts, { name: null }).problems.map(({ path }) => path)).toEqual(['name']);
});

test.each([null, undefined, 1, 'x', [], true])('%j is no record of facts', (input) => {
  const { values, problems } = checkFacts({ threads: count('threads') }, input);
  expect(values).toEqual({ threads: null });
  expect(problems).toEqual([{ path: '', message: 'must be an object that maps names to values' }]);
});

const odd = [
  '',
  ' ',
  'a',
  'é',
  '\0',
  'a\0',
  '\ud800',
  '\n',
  '~',
  'x'.repeat(999),
  'x'.repeat(65_536),
  'x'.repeat(65_537),
];
const oddNumbers = [0, -0, -1, 1.5, 2 ** 53 - 1, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, 1e-9, 7n];
const oddOthers = [true, false, [], {}, 'true', '1', Symbol('x'), new Date(0)];

test.each(Object.keys(scalarKinds) as ScalarKind[])('%s: what fits is what its schema says', (kind) => {
  for (const value of [...odd, ...oddNumbers, ...oddOthers]) {
    const { success } = scalarKinds[kind].schema.safeParse(value);
    const { values, problems } = checkFacts({ fact: { kind, description: 'any' } }, { fact: value });
    expect([problems.length === 0, values.fact]).toEqual([success, success ? value : null]);
  }
});

test('no input makes it throw, and what comes out always fits', () => {
  const random = seededRandom(42);
  const anything = (depth: number): unknown => {
    const choices: (() => unknown)[] = [
      () => null,
      () => undefined,
      () => random() * 1e20 - 5e19,
      () => String.fromCharCode(random() * 65_536).repeat(random() * 5),
      () => random() < 0.5,
      () => Number.NaN,
      () => Symbol('x'),
      () => 10n,
      () => new Date(),
    ];
    const names = [...Object.keys(facts), 'mac', 'addresses', 'address', '__proto__'];
    if (depth > 0) {
      choices.push(() => Array.from({ length: random() * 4 }, () => anything(depth - 1)));
      choices.push(() => Object.fromEntries(names.map((name) => [name, anything(depth - 1)])));
    }
    return choices[Math.floor(random() * choices.length)]?.();
  };
  for (let round = 0; round < 500; round++) {
    const { values, problems } = checkFacts(facts, anything(4));
    const again = checkFacts(facts, values);
    expect(again.values).toEqual(values);
    if (problems.length === 0) expect(again.problems).toEqual([]);
  }
});
