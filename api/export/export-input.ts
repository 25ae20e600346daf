/**
 * export-input: reads the query parameters of an export, by the input types that GraphQL has for the same.
 *
 * So a filter means here what it means there, and is refused with the same words.
 */
import { coerceInputValue, type GraphQLError, type GraphQLSchema, isInputType } from 'graphql';
import { didYouMean } from '../../plugins/did-you-mean.ts';
import { messageOf } from '../../plugins/message-of.ts';
import { type InputPath, inputError } from '../schema/input-error.ts';

/** How each parameter is written, and an example that can be used as it is. */
const parameters = {
  filter: { kind: 'JSON', example: '{"os":{"kernel":{"lt":"6.1.90"}}}' },
  asOf: { kind: 'text', example: '2026-05-01T00:00:00Z' },
  limit: { kind: 'count', example: '1000' },
} as const;

export type ParameterName = keyof typeof parameters;

export type Parameters = {
  /** Coerced by the type it was asked for with; null when it is not given. */
  value(name: 'filter' | 'asOf', type: string): unknown;
  limit: number | null;
};

/**
 * @param known those that this export takes
 * @throws AggregateError of GraphQLErrors BAD_USER_INPUT with every problem
 */
export function readParameters(
  query: URLSearchParams,
  known: readonly ParameterName[],
  schema: GraphQLSchema,
): Parameters {
  const errors = [...new Set(query.keys())].flatMap((name): GraphQLError[] => {
    if (!known.some((parameter) => parameter === name)) {
      const hint = didYouMean(name, known) ?? `there are ${known.join(', ')}`;
      return [inputError([name], `no such parameter: ${hint}`)];
    }
    return query.getAll(name).length > 1 ? [inputError([name], 'is given more than once')] : [];
  });
  if (errors.length > 0) throw new AggregateError(errors);
  return {
    value(name, type) {
      const text = query.get(name);
      if (text === null) return null;
      const { kind, example } = parameters[name];
      return coerce(schema, type, kind === 'JSON' ? parseJson(text, name, example) : text, [name]);
    },
    limit: readLimit(query.get('limit')),
  };
}

function coerce(schema: GraphQLSchema, name: string, given: unknown, at: InputPath): unknown {
  const type = schema.getType(name);
  if (!isInputType(type)) throw new Error(`the schema has no input type ${name}`);
  const errors: GraphQLError[] = [];
  const value = coerceInputValue(given, type, (path, _value, { message }) => {
    errors.push(inputError([...at, ...path], message));
  });
  if (errors.length > 0) throw new AggregateError(errors);
  return value;
}

function parseJson(text: string, name: string, example: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw inputError([name], `must be JSON, such as ${example}: ${messageOf(cause)}`);
  }
}

function readLimit(text: string | null): number | null {
  if (text === null) return null;
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && Number.isSafeInteger(limit)) return limit;
  const { example } = parameters.limit;
  throw inputError(
    ['limit'],
    `must be a whole number from 1, such as ${example}, but is ${JSON.stringify(text)}`,
  );
}
