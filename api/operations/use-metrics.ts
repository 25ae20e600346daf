/** use-metrics: counts and times requests and the operations in them. */
import { type DocumentNode, type GraphQLError, getOperationAST, Kind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { maskError } from '../error-codes.ts';
import type { Metrics, RefusalReason } from './metrics.ts';

/** Routes by their beginning; what is none of them is `other`. */
const routes = ['/graphql', '/export/', '/report', '/health', '/ready', '/metrics'];
const methods = ['GET', 'POST', 'HEAD', 'OPTIONS'];
const refusals: Record<number, RefusalReason> = { 401: 'credentials', 429: 'limit' };
/** As many as there are; a code of a bug's making is `OTHER`. */
const knownCode = /^[A-Z_]{2,40}$/;

/** What is none of them may be anything at all, a secret that was put in the wrong place included. */
export function routeOf(pathname: string): string {
  const route = routes.find((known) =>
    known.endsWith('/') ? pathname.startsWith(known) : pathname === known,
  );
  return route ?? 'other';
}

export function useMetrics(metrics: Metrics): Plugin {
  const begun = new WeakMap<object, { at: number; route: string }>();
  return {
    onRequest({ url, serverContext }) {
      begun.set(serverContext, { at: performance.now(), route: routeOf(url.pathname) });
    },
    onResponse({ request, response, serverContext }) {
      const { at, route } = begun.get(serverContext) ?? { at: performance.now(), route: 'other' };
      const method = methods.includes(request.method) ? request.method : 'other';
      const refusal = refusals[response.status];
      if (refusal) metrics.refused(refusal);
      metrics.answered(route, method, response.status, (performance.now() - at) / 1_000);
    },
    onExecute({ args }) {
      const { type, field } = nameOf(args.document, args.operationName);
      const began = performance.now();
      return {
        onExecuteDone({ result }) {
          const errors = 'errors' in result ? result.errors : undefined;
          metrics.operated(type, field, codeOf(errors), (performance.now() - began) / 1_000);
        },
      };
    },
    onSubscribe({ args }) {
      const { type, field } = nameOf(args.document, args.operationName);
      return {
        onSubscribeResult({ result }) {
          const errors = 'errors' in result ? result.errors : undefined;
          // It takes as long as its client likes.
          metrics.operated(type, field, codeOf(errors), null);
        },
      };
    },
  };
}

/** By the schema, as a document is run only once it is valid; a fragment at the top has no name to count by. */
function nameOf(document: DocumentNode, operationName: string | null | undefined) {
  const operation = getOperationAST(document, operationName);
  const [first] = operation?.selectionSet.selections ?? [];
  const field = first?.kind === Kind.FIELD ? first.name.value : 'fragment';
  return { type: operation?.operation ?? 'query', field };
}

function codeOf(errors: readonly GraphQLError[] | undefined): string {
  if (!errors?.length) return 'OK';
  // As the client is told it: it is masked only after this.
  const { code = 'BAD_REQUEST' } = (maskError(errors[0], '') as GraphQLError).extensions;
  return typeof code === 'string' && knownCode.test(code) ? code : 'OTHER';
}
