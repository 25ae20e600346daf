/**
 * query-cost: refuses what would take too much, by what the query says, before any of it is run.
 *
 * A cost is about the number of values that an answer can have, with what it takes to find them: each page counts its size
 * times what is selected of a row. Fields say theirs where they are defined; any other counts 1.
 */
import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type ASTNode,
  BREAK,
  type DefinitionNode,
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { messageOf } from '../plugins/message-of.ts';
import type { ApiContext } from './context.ts';
import { refuseBeforeRunning } from './refuse-before-running.ts';

/** A thousand hosts with all that their plugins tell, twice; some ten megabytes. */
export const maxCost = 500_000;
/** From a host over a report, a change and its report to an address of an interface. */
export const maxDepth = 16;

/** What a field costs: by itself, and how often what is selected of it. */
export const costs = {
  /** Of a list: one question to the index, and for each row another look at it. */
  page: (size: number) => ({ field: 20, multiplier: Math.max(1, size) }),
  row: { field: 20, multiplier: 1 },
  /** Whatever counts rows looks at all of them. */
  total: 20,
  allHosts: (size: number) => ({ field: 5_000, multiplier: Math.max(1, size) }),
  groups: { field: 1, multiplier: 10 },
  /** All that a plugin told of one host or report. */
  facts: { field: 5, multiplier: 1 },
  /** Elements of a list in facts. */
  elements: { field: 1, multiplier: 5 },
} as const;

export function useQueryCost(): Plugin<ApiContext> {
  return refuseBeforeRunning((args) => {
    const refused = refusal(args);
    return refused ? [refused] : [];
  });
}

type Cost = { complexity: number; depth: number };

/**
 * Of operations whose text alone tells it, such as those that send reports: their variables are large, and not looked at. Null for
 * the others.
 */
const constantCosts = new WeakMap<OperationDefinitionNode, Cost | null>();

function refusal({ schema, document, operationName, variableValues }: ExecutionArgs): GraphQLError | null {
  const operation = getOperationAST(document, operationName);
  if (!operation) return null;
  const known = constantCosts.get(operation);
  if (known) return refusalOf(known);
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const isConstant = known === undefined && isCostConstant(schema, [operation, ...fragments]);
  const variables = isConstant ? {} : (variableValues ?? {});
  const variableDefinitions = isConstant ? [] : (operation.variableDefinitions ?? []);
  const { coerced, errors } = getVariableValues(schema, variableDefinitions, variables, { maxErrors: 1 });
  // Nothing of it runs then, and each of them is told.
  if (errors) return null;
  const own = { ...document, definitions: [{ ...operation, variableDefinitions }, ...fragments] };
  try {
    const cost = complexityFromQuery(withoutSkipped(own, coerced), { schema, variables });
    constantCosts.set(operation, isConstant ? cost : null);
    return refusalOf(cost);
  } catch (cause) {
    // A null where none may be, say, which fails its own field only: the rest would run, whatever it costs.
    const message = `what the query may cost cannot be told: ${messageOf(cause)}`;
    return tooMuch(message, {});
  }
}

/** Whether no variable says what is selected, or is handed to a field whose cost follows from its arguments. */
function isCostConstant(schema: GraphQLSchema, definitions: readonly DefinitionNode[]): boolean {
  const types = new TypeInfo(schema);
  let isConstant = true;
  const visitor = visitWithTypeInfo(types, {
    VariableDefinition: () => false,
    Directive(node) {
      isConstant &&= !hasVariable(node);
    },
    Field({ arguments: given = [] }) {
      const { complexity } = types.getFieldDef()?.extensions ?? {};
      if (typeof complexity === 'function') isConstant &&= !given.some(hasVariable);
    },
  });
  for (const definition of definitions) visit(definition, visitor);
  return isConstant;
}

function hasVariable(node: ASTNode): boolean {
  let has = false;
  visit(node, {
    Variable() {
      has = true;
      return BREAK;
    },
  });
  return has;
}

function refusalOf({ complexity: cost, depth }: Cost): GraphQLError | null {
  if (depth > maxDepth) {
    const message = `the query is ${depth} fields deep, and may be ${maxDepth}: ask for the inner part by itself`;
    return tooMuch(message, { depth, limit: maxDepth });
  }
  if (cost <= maxCost) return null;
  const message = `the query may cost ${cost}, and at most ${maxCost} is allowed: take smaller pages, or select less of each row`;
  return tooMuch(message, { cost, limit: maxCost });
}

/** Without what `@skip` and `@include` leave out. */
export function withoutSkipped(document: DocumentNode, variables: Record<string, unknown>): DocumentNode {
  const leave = (node: SelectionNode) => {
    const isSkipped = getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true;
    const isLeftOut = getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if === false;
    return isSkipped || isLeftOut ? null : undefined;
  };
  return visit(document, { Field: leave, FragmentSpread: leave, InlineFragment: leave });
}

function tooMuch(message: string, figures: Record<string, number>): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', path: [], ...figures } });
}
