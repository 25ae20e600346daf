/**
 * comparison: the filter input of each way to compare, and its translation into tests.
 *
 * A field that is left out, or null as a whole, does not restrict. Every given test must hold.
 */
import type { Comparison } from '../../plugins/fact.ts';
import { messageOf } from '../../plugins/message-of.ts';
import type { Builder } from '../builder.ts';
import { subnetKeys, toComparable, withoutNul } from '../index/comparable.ts';
import type { Test } from '../index/filter.ts';
import { type InputPath, inputError } from './input-error.ts';

/** What a client sends for one comparison: the names of tests and their arguments. */
export type ComparisonInput = Record<string, unknown>;

type Argument = 'String' | 'Float' | 'Boolean' | 'DateTime' | 'UUID';

const equality = ['eq', 'ne', 'in', 'notIn'] as const;
const order = ['lt', 'lte', 'gt', 'gte'] as const;
const parts = ['contains', 'startsWith', 'endsWith'] as const;
type TestName =
  | (typeof equality)[number]
  | (typeof order)[number]
  | (typeof parts)[number]
  | 'isNull'
  | 'inSubnet';

/** More than anyone types, few enough for one statement. */
const maxListLength = 1_000;

type Spec = { argument: Argument; tests: readonly TestName[]; description: string };

/** Host ids compare as text, but are their own type of argument. */
const idSpec: Spec = { argument: 'UUID', tests: ['eq', 'in'], description: 'Compares ids.' };

const specs: Record<Comparison, Spec> = {
  text: {
    argument: 'String',
    tests: [...equality, ...parts, 'isNull'],
    description: 'Compares text, upper and lower case being different.',
  },
  number: { argument: 'Float', tests: [...equality, ...order, 'isNull'], description: 'Compares numbers.' },
  boolean: { argument: 'Boolean', tests: ['eq', 'isNull'], description: 'Compares truth values.' },
  instant: {
    argument: 'DateTime',
    tests: ['eq', ...order, 'isNull'],
    description: 'Compares points in time, whatever offset they are written with.',
  },
  version: {
    argument: 'String',
    tests: [...equality, ...order, 'isNull'],
    description:
      'Compares versions part by part, numbers as numbers: 6.1.9 is before 6.1.90, and 1.0~rc1 before 1.0.',
  },
  ip: {
    argument: 'String',
    tests: [...equality, 'inSubnet', 'isNull'],
    description: 'Compares IPv4 and IPv6 addresses, whichever way they are written.',
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
  isNull: 'true: is unknown. false: is known.',
};

/** The name of a comparison's filter type. */
export function comparisonTypeName(comparison: Comparison): string {
  return `${comparison[0]?.toUpperCase()}${comparison.slice(1)}Filter`;
}

export function defineComparisons(builder: Builder): void {
  for (const [comparison, spec] of Object.entries(specs)) {
    define(builder, comparisonTypeName(comparison as Comparison), spec);
  }
  define(builder, 'IdFilter', idSpec);
}

function define(builder: Builder, name: string, { argument, tests, description }: Spec): void {
  builder.inputRef<ComparisonInput>(name).implement({
    description,
    fields: (t) =>
      Object.fromEntries(
        tests.map((test) => {
          const options = { description: testDescriptions[test] };
          if (test === 'isNull') return [test, t.boolean(options)];
          if (test === 'in' || test === 'notIn') return [test, t.field({ ...options, type: [argument] })];
          return [test, t.field({ ...options, type: test === 'inSubnet' ? 'String' : argument })];
        }),
      ),
  });
}

/**
 * @param path where the comparison stands in the arguments, for errors
 * @throws GraphQLError BAD_USER_INPUT for arguments that are null or not of the comparison's kind
 */
export function toTests(comparison: Comparison, input: ComparisonInput, path: InputPath): Test[] {
  return Object.entries(input).map(([name, argument]) =>
    toTest(comparison, name as TestName, argument, [...path, name]),
  );
}

function toTest(comparison: Comparison, op: TestName, argument: unknown, path: InputPath): Test {
  if (argument === null || argument === undefined) {
    throw inputError(path, 'must not be null: to find what is unknown, write isNull: true');
  }
  const key = (value: unknown) => {
    try {
      return toComparable(comparison, value);
    } catch (cause) {
      throw inputError(path, messageOf(cause));
    }
  };
  switch (op) {
    case 'isNull':
      return { op, value: argument === true };
    case 'in':
    case 'notIn':
      if ((argument as unknown[]).length > maxListLength)
        throw inputError(path, `must be at most ${maxListLength} values`);
      return { op, values: (argument as unknown[]).map(key) };
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return { op, value: withoutNul(String(argument)) };
    case 'inSubnet': {
      const subnet = subnetKeys(String(argument));
      if (!subnet) throw inputError(path, `not a subnet such as 10.2.0.0/16: ${JSON.stringify(argument)}`);
      return { op: 'between', ...subnet };
    }
    default:
      return { op, value: key(argument) };
  }
}
