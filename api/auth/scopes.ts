/**
 * scopes: what the fields of the schema ask of who asks for them, in the words of `authScopes` where they are defined.
 *
 * Each field of Query, Mutation and Subscription says it; what lies below is theirs who may have what leads there. Only a
 * report is also in the answer to who sent it, so the type says it once more.
 */
import {
  defaultFieldResolver,
  type GraphQLError,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { forbidden } from './forbidden.ts';
import { hasScope, type Identity, scopes as scopeNames } from './identity.ts';

/** anyone: whoever has an identity. enrol: an enrolment secret, or an administrator. */
export const needs = [...scopeNames, 'enrol', 'anyone'] as const;
export type Need = (typeof needs)[number];

/** As the schema has them: one that is there is enough. */
export type AuthScopes = Record<Need, boolean>;

/** Whether an identity has one of these. */
export function meets(identity: Identity, wanted: readonly Need[]): boolean {
  return wanted.some((need) => has(identity, need));
}

function has(identity: Identity, need: Need): boolean {
  // Who may do what is a matter of the whole fleet: narrowed, an administrator could make another who is not.
  const isAdmin = () => identity.scopes.has('admin') && identity.narrowedTo === null;
  switch (need) {
    case 'anyone':
      return true;
    case 'admin':
      return isAdmin();
    case 'enrol':
      return identity.kind === 'enrolment' || isAdmin();
    default:
      return hasScope(identity, need);
  }
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

/**
 * Makes every field that asks for something hold it by itself, however an operation comes to it.
 *
 * The plugin's own checks take 40 µs for each request, a tenth of what it takes to store a report: they keep a memory for
 * answers that have to be waited for, and these do not.
 */
export function guardFields(schema: GraphQLSchema): void {
  const subscription = schema.getSubscriptionType();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const guard = guarded(type, field);
      if (!guard) continue;
      const check = (resolve: Resolver): Resolver => {
        return (row, args, context, info) => {
          if (!meets(context.identity, guard.needs)) throw refusal(guard, context.identity);
          return resolve(row, args, context, info);
        };
      };
      // Events come to who was let in.
      if (type === subscription) field.subscribe = check(field.subscribe ?? defaultFieldResolver);
      else field.resolve = check(field.resolve ?? defaultFieldResolver);
    }
  }
}

type Resolver = GraphQLFieldResolver<unknown, { identity: Identity }>;

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
