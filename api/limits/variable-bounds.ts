/**
 * variable-bounds: how deep the variables of a query may be nested, and how large they may be.
 *
 * Reports are large by nature, and bounded as bodies are. Whatever a query is told by its variables, the index looks at for
 * each row.
 */

import type { ExecutionArgs } from 'graphql';
import { GraphQLError, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ApiContext } from '../context.ts';
import { isTooDeep, maxJsonDepth } from '../json-depth.ts';
import { refuseBeforeRunning } from '../refuse-before-running.ts';

/** Filters are nested at most 20 deep, each by two of these levels. */
export const maxVariableDepth = maxJsonDepth;
/** Characters of text and values taken together: a list of 1,000 ids has 40,000. */
export const maxQueryVariables = 500_000;

export function useVariableBounds(): Plugin<ApiContext> {
  return refuseBeforeRunning(refusalsOf);
}

function refusalsOf({ document, operationName, variableValues }: ExecutionArgs): GraphQLError[] {
  // Of reports each part has bounds of its own, and errors that say where.
  if (getOperationAST(document, operationName)?.operation === OperationTypeNode.MUTATION) return [];
  if (isTooDeep(variableValues, maxVariableDepth)) {
    return [refusal(`variables may be nested ${maxVariableDepth} deep, no deeper`, maxVariableDepth)];
  }
  if (roomLeft(variableValues, maxQueryVariables) >= 0) return [];
  const message = `the variables of a query may hold ${maxQueryVariables} characters, no more: ask in several parts`;
  return [refusal(message, maxQueryVariables)];
}

function refusal(message: string, limit: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', path: [], limit } });
}

/** Looks no further once nothing is left. */
function roomLeft(value: unknown, room: number): number {
  if (typeof value === 'string') return room - value.length - 1;
  if (typeof value !== 'object' || value === null) return room - 1;
  let left = room - 1;
  for (const [name, inner] of Object.entries(value)) {
    if (left < 0) break;
    left = roomLeft(inner, Array.isArray(value) ? left : left - name.length);
  }
  return left;
}
