/**
 * builder: the Pothos schema builder, with the scalars that all types share.
 *
 * Made anew for each schema, because the types depend on the plugins that the server knows.
 */
import SchemaBuilder, { type ObjectRef } from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTime, GraphQLJSON, GraphQLSafeInt } from 'graphql-scalars';
import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { type AuthScopes, meets, needs } from './auth/scopes.ts';
import type { ApiContext } from './context.ts';
import type { Direction, HostOrderField, ReportOrderField } from './index/index-store.ts';
import type { ChangeFilterInput } from './schema/change.ts';

export type SchemaTypes = {
  Context: ApiContext;
  AuthScopes: AuthScopes;
  DefaultFieldNullability: false;
  Scalars: {
    UUID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date | string };
    JSON: { Input: NonNullable<unknown>; Output: unknown };
    SafeInt: { Input: number; Output: number };
    Labels: { Input: Record<string, string>; Output: Record<string, string> };
    Bytes: { Input: number; Output: number };
    Duration: { Input: number; Output: number };
  };
  /** Inputs that depend on the plugins, and are named where they are used. */
  Inputs: {
    ReportFilter: FilterInput;
    HostFilter: FilterInput;
    ReportOrder: OrderInput<ReportOrderField>;
    HostOrder: OrderInput<HostOrderField> & { fact?: string | null };
    ChangeFilter: ChangeFilterInput;
  };
};

/** A filter as a client sends it: names of fields, plugins, and, or, not. */
export type FilterInput = Record<string, unknown>;

/** An order as a client sends it; what is left out has its default. */
export type OrderInput<Field> = { field: Field; direction: Direction };

export type Builder = ReturnType<typeof createBuilder>;

type FullTypes = PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>;

/** An object type whose resolvers are handed a `Row`. */
export type TypeRef<Row> = ObjectRef<FullTypes, Row>;

/** What defines the fields of an object type whose resolvers are handed a `Row`. */
export type FieldBuilder<Row> = PothosSchemaTypes.ObjectFieldBuilder<FullTypes, Row>;

/** What defines the arguments of a query's field. */
export type ArgBuilder = Pick<PothosSchemaTypes.QueryFieldBuilder<FullTypes, object>, 'arg'>;

const maxLabels = 64;
const labelsSchema = z
  .record(z.string().min(1).max(128), z.string().max(1024))
  .refine((labels) => Object.keys(labels).length <= maxLabels, `must be at most ${maxLabels}`);

/** As it is, but for what it says of a value that it cannot use. */
function dateTime() {
  const config = GraphQLDateTime.toConfig();
  const told = <Parse extends (...args: never[]) => Date>(
    parse: Parse,
    shownOf: (given: unknown) => unknown,
  ) =>
    ((...args: Parameters<Parse>) => {
      try {
        return parse(...args);
      } catch {
        throw new TypeError(
          `not a point in time such as 2026-05-01T10:00:00Z: ${JSON.stringify(shownOf(args[0]))}`,
        );
      }
    }) as Parse;
  return new GraphQLScalarType<Date, Date>({
    ...config,
    parseValue: told(config.parseValue, (value) => value),
    parseLiteral: told(config.parseLiteral, (node) => (node as { value?: unknown }).value),
  });
}

export function createBuilder() {
  const builder = new SchemaBuilder<SchemaTypes>({
    plugins: [ScopeAuthPlugin, ComplexityPlugin],
    defaultFieldNullability: false,
    // Fields say it in its words, and are held to them in another way (see auth/scopes.ts).
    scopeAuth: {
      authScopes: ({ identity }) =>
        ({
          ...Object.fromEntries(needs.map((need) => [need, meets(identity, [need])])),
        }) as AuthScopes,
    },
  });
  builder.queryType({ description: 'Everything is read here.' });
  builder.mutationType({ description: 'What agents send.' });
  builder.addScalarType('DateTime', dateTime());
  builder.addScalarType('JSON', GraphQLJSON);
  builder.addScalarType('SafeInt', GraphQLSafeInt);
  builder.scalarType('UUID', {
    description: 'A UUID of any version (RFC 9562), in lower case.',
    serialize: (value) => value,
    parseValue(value) {
      if (typeof value === 'string' && isUuid(value)) return value.toLowerCase();
      throw new TypeError(`not a UUID: ${JSON.stringify(value)}`);
    },
  });
  builder.scalarType('Labels', {
    description:
      'Labels of a host: an object of names and text values, such as {"environment": "production"}.',
    serialize: (value) => value,
    parseValue(value) {
      // zod leaves it out without a word.
      if (Object.hasOwn(Object(value), '__proto__'))
        throw new TypeError('labels: __proto__ cannot be a name');
      const { data, error } = labelsSchema.safeParse(value);
      if (data) return data;
      const problems = error.issues.map(({ path, message }) => [...path, message].join(': '));
      throw new TypeError(`labels must be an object of text values: ${problems.join('; ')}`);
    },
  });
  return builder;
}
