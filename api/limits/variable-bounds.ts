/**
 * variable-bounds: how deep variables may be nested, and how large those of a query may be.
 *
 * Reports are large by nature, and bounded as bodies are. Whatever a query is told by its variables, the index looks at for
 * each row.
 */
import { getOperationAST, GraphQLError, OperationTypeNode } from 'graphql';
import type { ExecutionArgs } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isTooDeep, maxJsonDepth } from '../json-depth.ts';

/** The facts of a report, and what they stand in. */
export const maxVariableDepth = maxJsonDepth + 16;
/** Characters of text and values taken together: a list of 1,000 ids has 40,000. */
export const maxQueryVariables = 500_000;

export function useVariableBounds(): Plugin {
  return {
    onParams({ params, setResult }) {
      if (isTooDeep(params.variables, maxVariableDepth)) {
        const message = `variables may be nested ${maxVariableDepth} deep, no deeper`;
        setResult({ errors: [refusal(message, maxVariableDepth)] });
      }
    },
    onExecute({ args, setResultAndStopExecution }) {
      const refused = refusalOf(args);
      if (refused) setResultAndStopExecution({ errors: [refused] });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const refused = refusalOf(args);
      if (refused) setResultAndStopExecution({ errors: [refused] });
    },
  };
}

function refusalOf({ document, operationName, variableValues }: ExecutionArgs): GraphQLError | null {
  const operation = getOperationAST(document, operationName)?.operation;
  if (operation === OperationTypeNode.MUTATION || roomLeft(variableValues, maxQueryVariables) >= 0)
    return null;
  const message = `the variables of a query may hold ${maxQueryVariables} characters, no more: ask in several parts`;
  return refusal(message, maxQueryVariables);
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
