/** random-documents: GraphQL operations that the schema allows, with arguments as wild as their types let them be. */
import fc, { type Arbitrary } from 'fast-check';
import {
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { seededRandom } from '../support/noise.ts';
import { makePicker, type Picker } from '../support/query-model-history.ts';
import { hostId } from '../support/reports.ts';
import { hostile } from './arbitraries.ts';

const deepest = 5;
/** Where it takes what it finds in the API's own answers, such as the path of a fact. */
const words = [
  'cpu.model',
  'os.version',
  'network.interfaces.mac',
  'cpu',
  'os',
  'web-1',
  'environment',
  'OK',
];
const moments = [
  '2026-05-01T10:00:00Z',
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2026-02-30T00:00:00Z',
];

/** @param cursors that the API has given */
export function documents(
  schema: GraphQLSchema,
  kind: 'query' | 'subscription',
  cursors: readonly string[],
): Arbitrary<string> {
  const root = kind === 'query' ? schema.getQueryType() : schema.getSubscriptionType();
  return fc.noShrink(fc.nat()).map((seed) => {
    const picker = makePicker(seededRandom(seed));
    return `${kind} { ${selections(root as GraphQLObjectType, picker, 0, cursors)} }`;
  });
}

function selections(
  type: GraphQLObjectType,
  picker: Picker,
  depth: number,
  cursors: readonly string[],
): string {
  const fields = Object.values(type.getFields());
  const chosen = new Set(picker.some(fields, depth === 0 ? 2 : 4));
  const written = [...chosen].map((field, number) => {
    const inner = nested(field.type, picker, depth, cursors);
    if (inner === null) return '';
    const args = field.args.filter(({ type }) => isNonNullType(type) || picker.chance(0.4));
    const given = args.map(({ name, type }) => `${name}: ${argument(name, type, picker, cursors)}`);
    return `f${number}: ${field.name}${given.length > 0 ? `(${given.join(', ')})` : ''}${inner}`;
  });
  return written.join(' ') || '__typename';
}

/** What is selected of a field's value; null when that would be too deep. */
function nested(
  type: GraphQLOutputType,
  picker: Picker,
  depth: number,
  cursors: readonly string[],
): string | null {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  return depth < deepest ? ` { ${selections(named, picker, depth + 1, cursors)} }` : null;
}

function argument(name: string, type: GraphQLInputType, picker: Picker, cursors: readonly string[]): string {
  const isCursor = name === 'after' || name === 'before';
  if (isCursor && picker.chance(0.7)) return JSON.stringify(picker.pick([...cursors, ...hostile]));
  if ((name === 'first' || name === 'last') && picker.chance(0.8)) return String(picker.below(4));
  return value(type, picker, 0);
}

function value(type: GraphQLInputType, picker: Picker, depth: number): string {
  if (isNonNullType(type)) return value(type.ofType, picker, depth);
  if (picker.chance(0.03)) return 'null';
  if (isListType(type))
    return `[${picker.some([0, 1, 2], 3).map(() => value(type.ofType, picker, depth + 1))}]`;
  if (isEnumType(type)) return picker.pick(type.getValues()).name;
  if (!isInputObjectType(type)) return scalar(type.name, picker);
  const fields = Object.values(type.getFields());
  const required = fields.filter(
    ({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined,
  );
  const chosen = depth > 4 ? [] : picker.some(fields, 2);
  const given = new Set([...required, ...chosen]);
  return `{${[...given].map((field) => `${field.name}: ${value(field.type, picker, depth + 1)}`).join(', ')}}`;
}

function scalar(name: string, picker: Picker): string {
  // Now and then a value of another type: refusing it is a part of what is tried.
  const kind = picker.chance(0.05) ? picker.pick(['Int', 'String', 'Boolean', 'JSON']) : name;
  const numbers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), picker.below(1_000)];
  switch (kind) {
    case 'Int':
      return String(picker.pick(numbers));
    case 'Float':
    case 'SafeInt':
    case 'Bytes':
    case 'Duration':
      return String(picker.pick([...numbers, 2 ** 53 - 1, 2 ** 53, 1e300, 0.5]));
    case 'Boolean':
      return String(picker.chance(0.5));
    case 'UUID':
    case 'ID':
      return JSON.stringify(picker.chance(0.9) ? hostId(picker.below(5)) : picker.pick(hostile));
    case 'DateTime':
      return JSON.stringify(picker.pick(moments));
    default:
      return JSON.stringify(picker.pick([...words, ...hostile]));
  }
}
