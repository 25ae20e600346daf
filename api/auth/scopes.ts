/**
 * scopes: what the fields of the schema ask of who asks for them, in the words of `authScopes` where they are defined.
 *
 * Each field of Query, Mutation and Subscription says it; what lies below is theirs who may have what leads there. Only a
 * report is also in the answer to who sent it, so the type says it once more.
 */
import type {
  GraphQLError,
  GraphQLField,
  GraphQLObjectType,
  GraphQLResolveInfo,
  GraphQLSchema,
} from 'graphql';
import { hasScope, type Identity, scopes as scopeNames } from './identity.ts';
import { forbidden } from './forbidden.ts';

/** anyone: whoever has an identity. enrol: an enrolment secret, or an administrator. */
export const needs = [...scopeNames, 'enrol', 'anyone'] as const;
export type Need = (typeof needs)[number];

/** As the schema has them: one that is there is enough. */
export type AuthScopes = Record<Need, boolean>;

/** What an identity may do. */
export function scopesOf(identity: Identity): AuthScopes {
  // Who may do what is a matter of the whole fleet: narrowed, an administrator could make another who is not.
  const admin = identity.scopes.has('admin') && identity.narrowedTo === null;
  return {
    submit: hasScope(identity, 'submit'),
    read: hasScope(identity, 'read'),
    admin,
    enrol: admin || identity.kind === 'enrolment',
    anyone: true,
  };
}

/** What a field asks for: one of these is enough. Null where it asks for nothing. */
export function needsOf(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): Need[] | null {
  const own = optionsOf(field);
  return needsIn(own.authScopes) ?? (own.skipTypeScopes ? null : needsIn(optionsOf(type).authScopes));
}

/** @throws Error when some field of a root type says nothing of who may ask for it: then nobody has thought of it */
export function assertScoped(schema: GraphQLSchema): void {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const open = roots.flatMap((type) =>
    Object.values(type?.getFields() ?? {})
      .filter((field) => type && needsOf(type, field) === null)
      .map(({ name }) => `${type}.${name}`),
  );
  if (open.length > 0)
    throw new Error(`${open.join(', ')}: no authScopes, so that it is not known who may ask for it`);
}

/** A field, such as `hosts` or `Report.host`, and what it asks for: one of these is enough. */
export type Guarded = { field: string; needs: readonly Need[]; isRoot: boolean };

/** As it is named where it is refused: those of root types by their own name. */
export function guarded(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): Guarded | null {
  const wanted = needsOf(type, field);
  const isRoot = ['Query', 'Mutation', 'Subscription'].includes(type.name);
  return wanted && { field: isRoot ? field.name : `${type.name}.${field.name}`, needs: wanted, isRoot };
}

export function refusal(
  { field, needs: wanted }: Pick<Guarded, 'field' | 'needs'>,
  identity: Identity,
): GraphQLError {
  const { name, scopes, narrowedTo } = identity;
  const has = scopes.size > 0 ? `has ${[...scopes].join(', ')}` : 'has none';
  const narrowed =
    wanted.includes('admin') && scopes.has('admin') && narrowedTo !== null
      ? ', and is narrowed, which no administrator is'
      : '';
  return forbidden(`${field} needs the scope ${wanted.join(' or ')}: ${name} ${has}${narrowed}`, {
    more: { scope: wanted[0] },
  });
}

/** The same of a field that is being resolved. */
export function refusalOf(
  { parentType, fieldName }: Pick<GraphQLResolveInfo, 'parentType' | 'fieldName'>,
  identity: Identity,
): GraphQLError {
  const field = parentType.getFields()[fieldName];
  const guard = field ? guarded(parentType, field) : null;
  return refusal(guard ?? { field: fieldName, needs: ['admin'] }, identity);
}

type Options = { authScopes?: unknown; skipTypeScopes?: boolean };

function optionsOf({ extensions }: GraphQLObjectType | GraphQLField<unknown, unknown>): Options {
  return (extensions.pothosOptions ?? {}) as Options;
}

function needsIn(authScopes: unknown): Need[] | null {
  if (authScopes === undefined) return null;
  const named = needs.filter((need) => (authScopes as Partial<AuthScopes>)[need] === true);
  if (named.length === 0 || named.length !== Object.keys(authScopes as object).length)
    throw new Error(`authScopes must name some of ${needs.join(', ')}, and nothing else`);
  return named;
}
