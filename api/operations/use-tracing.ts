/** use-tracing: requests and GraphQL operations as spans. */
import { type DocumentNode, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { exportPaths } from '../export/export-kinds.ts';
import { requestId } from './request-id.ts';
import { rootFieldsOf } from './root-fields.ts';
import { own, type Tracing } from './tracing.ts';

/** Machines ask for these every few seconds. */
const untraced = ['/health', '/ready', '/metrics'];

/** Whatever the status is: GraphQL answers some with 200. */
const ourFault = ['INTERNAL_SERVER_ERROR', 'UNAVAILABLE'];

const methods = ['GET', 'HEAD', 'POST', 'OPTIONS'];

/** Goes after whatever gives errors their codes. */
export function useTracing(tracing: Tracing, graphqlEndpoint: string): Plugin {
  const routes = ['/', graphqlEndpoint, '/report', ...exportPaths];

  function tellOperation(document: DocumentNode, operationName: string | null | undefined): void {
    const span = tracing.current();
    const operation = span && getOperationAST(document, operationName);
    if (!operation) return;
    const fields = rootFieldsOf(document, operation);
    span.updateName([operation.operation, ...(fields.length === 1 ? fields : [])].join(' '));
    span.setAttributes({ 'graphql.operation.type': operation.operation, [own.rootFields]: fields });
  }

  return {
    instrumentation: {
      async request({ request }, wrapped) {
        const { pathname } = new URL(request.url);
        if (untraced.includes(pathname)) return wrapped();
        const method = methods.includes(request.method) ? request.method : '_OTHER';
        // Any other path is one that a client made up.
        const route = routes.includes(pathname) ? { 'http.route': pathname } : {};
        const name = [method, ...Object.values(route)].join(' ');
        const id = requestId();
        const named = id === undefined ? {} : { [own.requestId]: id };
        const attributes = { 'http.request.method': method, ...route, ...named };
        await tracing.request(request.headers, name, attributes, async () => wrapped());
      },
      operation: (_payload, wrapped) => tracing.part('graphql', {}, async () => wrapped()),
    },
    // The document is valid by then.
    onExecute: ({ args }) => tellOperation(args.document, args.operationName),
    onSubscribe: ({ args }) => tellOperation(args.document, args.operationName),
    onResultProcess({ result }) {
      const span = tracing.current();
      if (!span || Symbol.asyncIterator in result) return;
      const errors = [result].flat().flatMap(({ errors = [] }) => errors);
      const codes = new Set(errors.map(({ extensions }) => String(extensions?.code)));
      if (codes.size > 0) span.setAttribute(own.errorCodes, [...codes]);
      for (const code of codes) if (ourFault.includes(code)) tracing.failed(code);
    },
    onResponse({ response }) {
      const { status } = response;
      tracing.current()?.setAttribute('http.response.status_code', status);
      if (status >= 500) tracing.failed(String(status));
    },
  };
}
