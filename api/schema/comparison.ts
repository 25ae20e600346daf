/**
 * comparison: the filter input of each way to compare, and its translation into tests.
 *
 * A field that is left out, or null as a whole, does not restrict. Every given test must hold.
 */
import type { Comparison } from '../../plugins/fact.ts';
import { messageOf } from '../../plugins/message-of.ts';
import type { Builder } from '../builder.ts';
import { foldCase, notOfKind, subnetKeys, toComparable, withoutNul } from '../index/comparable.ts';
import type { Test } from '../index/filter.ts';
import { checkLength } from './filter-bounds.ts';
import { type InputPath, inputError } from './input-error.ts';
import { parseBytes, parseSeconds } from './quantities.ts';
import { parseVersionRange, versionRangeExample } from './version-range.ts';

/** What a client sends for one comparison: the names of tests and their arguments. */
export type ComparisonInput = Record<string, unknown>;

type Argument = 'String' | 'Float' | 'Boolean' | 'DateTime' | 'UUID' | 'Bytes' | 'Duration';

const equality = ['eq', 'ne', 'in', 'notIn'] as const;
const order = ['lt', 'lte', 'gt', 'gte'] as const;
const parts = ['contains', 'startsWith', 'endsWith'] as const;
const subnets = ['inSubnet', 'notInSubnet'] as const;
export const testNames = [...equality, ...order, ...parts, ...subnets, 'matches', 'isNull'] as const;
export type TestName = (typeof testNames)[number];

/** More than anyone types, few enough for one statement. */
export const maxListLength = 1_000;

/** Of a range of versions, which is taken apart; in characters. */
export const maxRangeLength = 500;

/** Of six octets, eight or twenty, as interfaces have them. */
const macAddress = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?:(?:[:-][0-9a-f]{2}){2}|(?:[:-][0-9a-f]{2}){14})?$/i;
const macStart = /^(?:[0-9a-f]{2}[:-])*[0-9a-f]{0,2}$/i;

type Spec = { argument: Argument; tests: readonly TestName[]; description: string };

/** Host ids compare as text, but are their own type of argument. */
const idSpec: Spec = { argument: 'UUID', tests: ['eq', 'in'], description: 'Compares ids.' };

const numbers = { tests: [...equality, ...order, 'isNull'] } as const;

export const specs: Record<Comparison, Spec> = {
  text: {
    argument: 'String',
    tests: [...equality, ...parts, 'isNull'],
    description: 'Compares text, upper and lower case being different unless ignoreCase is true.',
  },
  number: { argument: 'Float', ...numbers, description: 'Compares numbers.' },
  boolean: { argument: 'Boolean', tests: ['eq', 'isNull'], description: 'Compares truth values.' },
  instant: {
    argument: 'DateTime',
    tests: ['eq', ...order, 'isNull'],
    description: 'Compares points in time, whatever offset they are written with.',
  },
  duration: { argument: 'Duration', ...numbers, description: 'Compares lengths of time.' },
  bytes: { argument: 'Bytes', ...numbers, description: 'Compares amounts of memory or storage.' },
  version: {
    argument: 'String',
    tests: [...equality, ...order, 'matches', 'isNull'],
    description:
      'Compares versions part by part, numbers as numbers: 6.1.9 is before 6.1.90, and 1.0~rc1 before 1.0.',
  },
  ip: {
    argument: 'String',
    tests: [...equality, ...subnets, 'isNull'],
    description: 'Compares IPv4 and IPv6 addresses, whichever way they are written.',
  },
  mac: {
    argument: 'String',
    tests: [...equality, 'startsWith', 'isNull'],
    description: 'Compares hardware addresses, in upper or lower case, with colons or dashes.',
  },
};

const testDescriptions: Record<TestName, string> = {
  eq: 'Is this.',
  ne: 'Is known, and is not this.',
  in: 'Is one of these.',
  notIn: 'Is known, and is none of these.',
  lt: 'Is less than, or before, this.',
  lte: 'Is at most this.',
  gt: 'Is greater than, or after, this.',
  gte: 'Is at least this.',
  contains: 'Has this somewhere.',
  startsWith: 'Begins with this.',
  endsWith: 'Ends with this.',
  inSubnet: 'Lies in this subnet, such as 10.2.0.0/16 or 2001:db8::/32.',
  notInSubnet: 'Is known, and does not lie in this subnet.',
  matches: `Is in this range, such as ${versionRangeExample}: all of what stands between || must hold.`,
  isNull: 'true: is unknown. false: is known.',
};

const ignoreCase = 'ignoreCase';

/** The name of a comparison's filter type. */
export function comparisonTypeName(comparison: Comparison): string {
  return `${comparison[0]?.toUpperCase()}${comparison.slice(1)}Filter`;
}

export function defineComparisons(builder: Builder): void {
  for (const [comparison, spec] of Object.entries(specs)) {
    define(builder, comparisonTypeName(comparison as Comparison), spec);
  }
  define(builder, 'IdFilter', idSpec);
  builder.inputRef<ComparisonInput>('LabelFilter').implement({
    description: 'A label of a host, by its name; with nothing else, that the host has it.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'The name of the label.' }),
      ...testFields(t, specs.text),
    }),
  });
}

function define(builder: Builder, name: string, spec: Spec): void {
  builder
    .inputRef<ComparisonInput>(name)
    .implement({ description: spec.description, fields: (t) => testFields(t, spec) });
}

// biome-ignore lint/suspicious/noExplicitAny: the type of the argument follows from data
type InputFields = { boolean: any; field: any };

/** The fields of an input with these tests; `argument` may be any scalar. */
export function testFields(
  t: InputFields,
  { argument, tests }: { argument: string; tests: readonly TestName[] },
) {
  const fields = tests.map((test) => {
    const options = { description: testDescriptions[test] };
    if (test === 'isNull') return [test, t.boolean(options)];
    if (test === 'in' || test === 'notIn') return [test, t.field({ ...options, type: [argument] })];
    const isText = test === 'inSubnet' || test === 'notInSubnet' || test === 'matches';
    return [test, t.field({ ...options, type: isText ? 'String' : argument })];
  });
  if (tests.includes('contains')) {
    fields.push([
      ignoreCase,
      t.boolean({ description: 'Upper and lower case are the same to the other tests here.' }),
    ]);
  }
  return Object.fromEntries(fields);
}

/**
 * @param path where the comparison stands in the arguments, for errors
 * @throws GraphQLError BAD_USER_INPUT for arguments that are null or not of the comparison's kind
 */
export function toTests(comparison: Comparison, input: ComparisonInput, path: InputPath): Test[] {
  const folds = input[ignoreCase] === true;
  const tests = Object.entries(input).flatMap(([name, argument]) => {
    if (name === ignoreCase) return [];
    const test = toTest(comparison, name as TestName, argument, [...path, name]);
    return [folds ? withoutCase(test) : test];
  });
  checkBounds(tests, input, path);
  return tests;
}

/** A range whose ends are the wrong way round is a slip: nothing could ever be in it. */
function checkBounds(tests: readonly Test[], input: ComparisonInput, path: InputPath): void {
  const reversed = reversedBounds(tests);
  if (!reversed) return;
  const [lower, upper] = reversed.map(({ op }) => `${op}: ${JSON.stringify(input[op])}`);
  throw inputError(path, `nothing is within ${lower} and ${upper}: the range is reversed, swap its ends`);
}

/** The lower and the upper bound, where they leave nothing between them; null where they do. */
function reversedBounds(tests: readonly Test[]): [Test, Test] | null {
  const bounds = (...names: string[]) =>
    tests.filter((test): test is Test & { value: string | number } => names.includes(test.op));
  for (const lower of bounds('gt', 'gte')) {
    const upper = bounds('lt', 'lte').find(({ value }) => value < lower.value);
    if (upper) return [lower, upper];
  }
  return null;
}

function toTest(comparison: Comparison, op: TestName, argument: unknown, path: InputPath): Test {
  if (argument === null || argument === undefined) {
    throw inputError(path, 'must not be null: to find what is unknown, write isNull: true');
  }
  const key = (value: unknown) => toKey(comparison, op, value, path);
  if (typeof argument === 'string')
    checkLength(argument, path, op === 'matches' ? maxRangeLength : undefined);
  switch (op) {
    case 'isNull':
      return { op, value: argument === true };
    case 'in':
    case 'notIn': {
      const values = Array.isArray(argument) ? argument : [argument];
      if (values.length > maxListLength) throw inputError(path, `must be at most ${maxListLength} values`);
      return { op, values: values.map(key) };
    }
    case 'contains':
    case 'startsWith':
    case 'endsWith': {
      const text = withoutNul(String(argument));
      if (comparison !== 'mac') return { op, value: text };
      if (macStart.test(text)) return { op, value: String(toComparable('mac', text)) };
      throw inputError(
        path,
        `not the beginning of a MAC address such as 52:54:00: ${JSON.stringify(argument)}`,
      );
    }
    case 'inSubnet':
    case 'notInSubnet': {
      const subnet = subnetKeys(String(argument));
      if (!subnet) {
        throw inputError(
          path,
          `not a subnet such as 10.2.0.0/16 or 2001:db8::/32: ${JSON.stringify(argument)}`,
        );
      }
      return { op: op === 'inSubnet' ? 'between' : 'outside', ...subnet };
    }
    case 'matches': {
      const range = parseVersionRange(String(argument));
      if (!range) {
        throw inputError(
          path,
          `not a range of versions such as ${versionRangeExample}: ${JSON.stringify(argument)}`,
        );
      }
      for (const group of range.of) {
        if (reversedBounds(group)) {
          throw inputError(path, `nothing is within ${argument}: the range is reversed, swap its ends`);
        }
      }
      return range;
    }
    default:
      return { op, value: key(argument) };
  }
}

function toKey(comparison: Comparison, op: TestName, value: unknown, path: InputPath) {
  if (typeof value === 'string') checkLength(value, path);
  try {
    // Where the type of the argument is JSON, no scalar has read it.
    if (comparison === 'bytes') return toComparable(comparison, parseBytes(value) ?? value);
    if (comparison === 'duration') return toComparable(comparison, parseSeconds(value) ?? value);
    if (comparison === 'mac' && !macAddress.test(String(value))) throw notOfKind(comparison, value);
    if (comparison === 'version' && order.some((name) => name === op) && !/\d/.test(String(value))) {
      throw notOfKind(comparison, value);
    }
    return toComparable(comparison, value);
  } catch (cause) {
    throw inputError(path, messageOf(cause));
  }
}

function withoutCase(test: Test): Test {
  if ('values' in test)
    return { ...test, values: test.values.map((value) => foldCase(String(value))), ignoreCase: true };
  if (test.op === 'eq' || test.op === 'ne') {
    return { ...test, value: foldCase(String(test.value)), ignoreCase: true };
  }
  if (test.op === 'contains' || test.op === 'startsWith' || test.op === 'endsWith') {
    return { ...test, value: foldCase(test.value), ignoreCase: true };
  }
  return test;
}
