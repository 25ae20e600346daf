/** arbitraries: values as people, programs and attackers send them. */
import fc, { type Arbitrary } from 'fast-check';
import { hostId } from '../support/reports.ts';

/** What breaks out of a quotation, a path, a pattern, a line, an encoding or a prototype where it is not kept from it. */
export const hostile = [
  "' OR 1=1 --",
  "'; DROP TABLE reports; --",
  '" OR ""="',
  '\\',
  "\\' OR 1=1 --",
  '$1',
  '#{7*7}',
  '$$; select pg_sleep(60); $$',
  '%',
  '_',
  '%%%%',
  '[a-z]*',
  '(a+)+$',
  'a'.repeat(3_000),
  '../../../../etc/passwd',
  '..\\..\\windows',
  '/etc/passwd',
  'file:///etc/passwd',
  'reports/date=2026-05-01',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '\0',
  'a\0b',
  '\n',
  '\r\nSet-Cookie: a=b',
  '\u2028',
  '\ufeff',
  '\ud800',
  '\udc00\ud800',
  '\u202egnp.exe',
  '=cmd|calc',
  '<script>alert(1)</script>',
  '{{constructor}}',
  '🦊',
  'ａ',
  'İ',
  'ß',
  '1e400',
  '-0',
  'NaN',
  '9007199254740993',
  '0x10',
  '::ffff:10.0.0.1',
  '10.0.0.1/33',
  'fe80::1%eth0',
  '1.2.3-rc.1+build',
  '2026-02-30T25:61:61Z',
  '+275760-09-13T00:00:00.001Z',
];

export const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostile) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...hostile), fc.string()).map((parts) => parts.join('')) },
);

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e308, 5e-324, 2 ** 53, -(2 ** 53), 2 ** 31, 2 ** 63),
);

/** Anything that JSON can hold, with keys that mean something to JavaScript. */
export const json: Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    fc.constant(null),
    fc.boolean(),
    number,
    hostileText,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(hostileText, tie('value')), { maxLength: 6 }).map(objectOf),
  ),
})).value;

/** Nested so many times. */
export const deepJson = fc
  .tuple(fc.constantFrom<'list' | 'object'>('list', 'object'), fc.constantFrom(10, 60, 150, 5_000))
  .map(([kind, depth]) => {
    let value: unknown = 1;
    for (let step = 0; step < depth; step += 1) value = kind === 'list' ? [value] : { a: value };
    return value;
  });

/** As JSON.parse makes it: `__proto__` is a key like others. */
function objectOf(entries: [string, unknown][]): unknown {
  return JSON.parse(
    `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`,
  );
}

export const uuid = fc.oneof(
  fc.uuid(),
  fc.integer({ min: 0, max: 20 }).map(hostId),
  fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
);

/** Texts that are right, with something taken out, put in, doubled or replaced. */
export function damagedText(texts: readonly string[]): Arbitrary<string> {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 0, max: 12 }),
    put: fc.oneof(
      hostileText,
      fc.constantFrom('{', '}', '(', ')', '"', '$', '!', '...', '@', ':', ',', '[', ']'),
    ),
  });
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) => {
      let damaged = text;
      for (const { at, length, put } of edits) {
        const start = Math.floor(at * damaged.length);
        damaged = damaged.slice(0, start) + put + damaged.slice(start + length);
      }
      return damaged;
    });
}
