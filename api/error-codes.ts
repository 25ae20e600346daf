/**
 * error-codes: gives every error of the GraphQL endpoint a stable `extensions.code`, and hides our bugs.
 *
 * BAD_USER_INPUT with `extensions.path`: correct the value there. BAD_REQUEST, GRAPHQL_PARSE_FAILED and
 * GRAPHQL_VALIDATION_FAILED: correct the query. UNAVAILABLE: of what was sent nothing was acknowledged; send it, or ask, again
 * after `extensions.retryAfter`, in seconds.
 * FORBIDDEN: who asks may not; the message says what it would take, `extensions.scope` the scope.
 * FACTS_UNKNOWN: send the report again with its facts instead of their hashes. QUERY_TIMEOUT: ask for less. SUBSCRIBER_TOO_SLOW: subscribe again, and read faster or filter more.
 * INTERNAL_SERVER_ERROR: our bug; the message is masked and the cause is in the server's log.
 */
import {
  type ASTNode,
  coerceInputValue,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  isInputType,
  Kind,
  typeFromAST,
  type ValueNode,
  visit,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { Failure, retryAfter } from './failure.ts';
import { type InputPath, inputError } from './schema/input-error.ts';

/** Masks what is not meant for clients. A Failure of the stores is: the client can do something about it. */
export function maskError(error: unknown, message: string): Error {
  const original = error instanceof GraphQLError ? error.originalError : error;
  if (error instanceof GraphQLError && !original) return error;
  if (original instanceof GraphQLError) return error as GraphQLError;
  if (original instanceof RangeError && /call stack/.test(original.message)) {
    return new GraphQLError('the request is nested too deep', { extensions: { code: 'BAD_USER_INPUT' } });
  }
  const options =
    error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {};
  if (original instanceof Failure && original.kind === 'UNAVAILABLE') {
    return new GraphQLError('the store does not answer: nothing is acknowledged, send it again later', {
      ...options,
      extensions: { code: 'UNAVAILABLE', retryAfter: retryAfter(original) },
    });
  }
  if (original instanceof Failure && original.kind === 'INVALID') {
    return new GraphQLError(original.message, {
      ...options,
      extensions: { code: 'BAD_USER_INPUT', path: [] },
    });
  }
  return new GraphQLError(message, { ...options, extensions: { code: 'INTERNAL_SERVER_ERROR' } });
}

/** A query of GraphiQL's for the whole schema has some 500; one with a thousand aliases has more than this. */
export const maxTokens = 5_000;

/** Bounds what has to be parsed, and gives what has no code yet a code: whoever sent it has to correct it. */
export function useErrorCodes(): Plugin {
  return {
    onParse: ({ parseFn, setParseFn }) => {
      setParseFn((source, options) => {
        try {
          return parseFn(source, { ...options, maxTokens });
        } catch (cause) {
          if (!(cause instanceof RangeError)) throw cause;
          // So many braces are still few tokens, and nothing that has to be looked at in a log.
          throw new GraphQLError('the query is nested too deep', {
            extensions: { code: 'GRAPHQL_PARSE_FAILED' },
          });
        }
      });
    },
    onResultProcess({ result }) {
      if (Symbol.asyncIterator in result) return;
      for (const { errors } of Array.isArray(result) ? result : [result]) {
        for (const { extensions } of errors ?? []) {
          extensions.code ??= 'BAD_REQUEST';
          // Yoga puts the parser's error there, which repeats all that was sent.
          delete extensions.originalError;
        }
      }
    },
  };
}

/** Says BAD_USER_INPUT and where, for values that GraphQL itself refuses: in the query or its variables. */
export function useInputErrors(): Plugin {
  return {
    onValidate: ({ params: { documentAST } }) => {
      return ({ valid, result, setResult }) => {
        if (!valid) setResult(result.map((error) => codedLiteral(documentAST as DocumentNode, error)));
      };
    },
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        if (!('errors' in result) || !result.errors?.some(isVariableError)) return;
        const errors = variableErrors(
          args.schema,
          args.document,
          args.operationName,
          args.variableValues ?? {},
        );
        // Whatever could not be placed keeps its own message.
        setResult({ ...result, errors: errors.length > 0 ? errors : result.errors });
      },
    }),
  };
}

/** GraphQL refuses variables before anything runs, so these errors have no path of their own. */
function isVariableError(error: GraphQLError): boolean {
  return error.path === undefined && error.message.startsWith('Variable "$');
}

function variableErrors(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  values: Record<string, unknown>,
): GraphQLError[] {
  const errors: GraphQLError[] = [];
  for (const { variable, type, defaultValue } of getOperationAST(document, operationName)
    ?.variableDefinitions ?? []) {
    const name = variable.name.value;
    const inputType = typeFromAST(schema, type as Parameters<typeof typeFromAST>[1]);
    if (!isInputType(inputType) || (values[name] === undefined && defaultValue)) continue;
    const place = pathOf(document, (node) => node.kind === Kind.VARIABLE && node.name.value === name) ?? [
      name,
    ];
    try {
      coerceInputValue(values[name], inputType, (path, _value, { message }) => {
        errors.push(inputError([...place, ...path], message, variable));
        if (errors.length >= maxVariableErrors) throw enough;
      });
    } catch (cause) {
      if (cause !== enough) throw cause;
      return errors;
    }
  }
  return errors;
}

/** Each of a million values may be wrong; graphql itself stops at as many. */
export const maxVariableErrors = 50;
/** Thrown where nothing else ends the walk. */
const enough = new Error('enough errors');

/** Values of the wrong type in the query's own text, told from errors of the query's shape by their node. */
function codedLiteral(document: DocumentNode, error: GraphQLError): GraphQLError {
  const node = error.nodes?.[0];
  const path = node ? pathOf(document, (candidate) => candidate === node) : null;
  if (!path) return error;
  return inputError(path, error.message, node);
}

/** The names and positions from the argument down to a value of the query's text; null when there is none. */
function pathOf(document: DocumentNode, isWanted: (node: ASTNode) => boolean): InputPath | null {
  let found: InputPath | null = null;
  visit(document, {
    Argument({ name, value }) {
      found ??= pathWithin(value, isWanted, [name.value]);
    },
  });
  return found;
}

function pathWithin(
  value: ValueNode,
  isWanted: (node: ASTNode) => boolean,
  path: InputPath,
): InputPath | null {
  if (isWanted(value)) return path;
  const inner: { step: string | number; node: ASTNode; value: ValueNode }[] = [];
  if (value.kind === Kind.LIST) {
    inner.push(...value.values.map((element, step) => ({ step, node: element, value: element })));
  } else if (value.kind === Kind.OBJECT) {
    inner.push(...value.fields.map((field) => ({ step: field.name.value, node: field, value: field.value })));
  }
  for (const { step, node, value: next } of inner) {
    const here = [...path, step];
    const found = isWanted(node) ? here : pathWithin(next, isWanted, here);
    if (found) return found;
  }
  return null;
}
