/**
 * use-scopes: refuses an operation whole, before any of it is run, when who asks may not have all of what it selects.
 *
 * So nothing is answered in part, and no mutation has been done of which only the answer is refused. The resolvers hold the
 * same (see scopes.ts), should an operation come to them by another way.
 */
import {
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  isObjectType,
  Kind,
  SchemaMetaFieldDef,
  separateOperations,
  TypeInfo,
  TypeMetaFieldDef,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ApiContext } from '../context.ts';
import { withoutSkipped } from '../query-cost.ts';
import { refuseBeforeRunning } from '../refuse-before-running.ts';
import type { Identity } from './identity.ts';
import { type Guarded, guarded, meets, refusal } from './scopes.ts';

export function useScopes(): Plugin<ApiContext> {
  /** By the operation: agents send the same one each time. */
  const known = new WeakMap<object, readonly Guarded[]>();

  function refusals(args: ExecutionArgs): GraphQLError[] {
    const { schema, document, operationName, variableValues } = args;
    const { identity } = args.contextValue as ApiContext;
    const operation = getOperationAST(document, operationName);
    if (!operation) return [];
    let asked = known.get(operation);
    if (!asked) {
      asked = guardedIn(schema, ownOf(document, operationName));
      known.set(operation, asked);
    }
    if (refused(asked, identity).length === 0) return [];
    const { coerced, errors } = getVariableValues(
      schema,
      operation.variableDefinitions ?? [],
      variableValues ?? {},
    );
    // Nothing of it runs then, and each of them is told.
    if (errors) return [];
    const selected = guardedIn(schema, withoutSkipped(ownOf(document, operationName), coerced));
    const all = refused(selected, identity);
    // What lies below them is not theirs to begin with.
    const roots = all.filter(({ isRoot }) => isRoot);
    return (roots.length > 0 ? roots : all).map((field) => refusal(field, identity));
  }

  return refuseBeforeRunning(refusals);
}

/** The one operation with its fragments. */
function ownOf(document: DocumentNode, operationName: string | null | undefined): DocumentNode {
  const operations = separateOperations(document);
  const [only] = Object.values(operations);
  return operations[operationName ?? ''] ?? only ?? { kind: Kind.DOCUMENT, definitions: [] };
}

/** Each guarded field that is selected, once. */
function guardedIn(schema: GraphQLSchema, document: DocumentNode): Guarded[] {
  const found = new Map<string, Guarded>();
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        const [type, field] = [types.getParentType(), types.getFieldDef()];
        if (!field || !isObjectType(type)) return;
        // What is known to the server tells what runs on its hosts.
        const isMeta = field === SchemaMetaFieldDef || field === TypeMetaFieldDef;
        const guard: Guarded | null = isMeta
          ? { field: field.name, needs: ['read'], isRoot: true }
          : guarded(type, field);
        if (guard) found.set(guard.field, guard);
      },
    }),
  );
  return [...found.values()];
}

function refused(asked: readonly Guarded[], identity: Identity): Guarded[] {
  return asked.filter(({ needs }) => !meets(identity, needs));
}
