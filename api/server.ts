/**
 * server: the HTTP interface over the services. Builds, and does not listen, so that tests call `fetch`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin, shouldRenderGraphiQL, type YogaServerInstance } from 'graphql-yoga';
import type { Logger } from 'pino';
import { type Gate, identityOf, type ServerContext, useGate } from './auth/gate.ts';
import { hasScope } from './auth/identity.ts';
import { useScopes } from './auth/use-scopes.ts';
import { useBoundedBodies } from './bounded-body.ts';
import { type ApiContext, makeContext, type Services } from './context.ts';
import { maskError, useErrorCodes, useInputErrors } from './error-codes.ts';
import { exportFolder, exportPaths } from './export/export-kinds.ts';
import type { Exports } from './export/exports.ts';
import { Failure, retryAfter } from './failure.ts';
import { useGraphiqlPage } from './graphiql.ts';
import { useDocumentBounds } from './limits/document-bounds.ts';
import { boundedDocumentCache } from './limits/document-cache.ts';
import { useErrorBounds } from './limits/error-bounds.ts';
import { useHiddenSuggestions } from './limits/hidden-suggestions.ts';
import { type InFlight, openInFlight } from './limits/in-flight.ts';
import { useQueryGate } from './limits/query-gate.ts';
import { tooManyResponse, useAddressLimit, useOperationLimit } from './limits/rate-limits.ts';
import { useSingleOperation } from './limits/single-operation.ts';
import { useVariableBounds } from './limits/variable-bounds.ts';
import type { Metrics } from './operations/metrics.ts';
import type { Tracing } from './operations/tracing.ts';
import { useAudit } from './operations/use-audit.ts';
import { routeOf, useMetrics } from './operations/use-metrics.ts';
import { useTracing } from './operations/use-tracing.ts';
import { getPythonReport, postPythonReport } from './python-routes.ts';
import { useQueryCost } from './query-cost.ts';
import { useReadableParameters } from './readable-parameters.ts';
import { breakOff } from './transport/break-off.ts';
import { clientAddressOf } from './transport/client-address.ts';
import { useNoFormBodies } from './transport/form-bodies.ts';
import { useSameSite } from './transport/same-site.ts';
import { useTruncated } from './truncated.ts';

export const graphqlEndpoint = '/graphql';

export type ServerOptions = {
  schema: GraphQLSchema;
  services: Services;
  exports: Exports;
  logger: Logger;
  gate: Gate;
  /** What is there for browsers, tools and the Python system. */
  offered: Offered;
  metrics: Metrics;
  /** What keeps it from answering, by the part that does not; empty when it is ready. */
  checkReady: () => Promise<Record<string, string>>;
  /** What is worked on, counted by whatever stands before this. @default nobody counts */
  inFlight?: InFlight;
  /** Follows requests through all parts. @default null, nobody does */
  tracing?: Tracing | null;
};

export type Offered = { graphiql: boolean; introspection: boolean; pythonRoutes: boolean };
export const everything: Offered = { graphiql: true, introspection: true, pythonRoutes: true };

export type Server = YogaServerInstance<Record<string, unknown>, ApiContext>;

export function createServer(options: ServerOptions): Server {
  const { schema, services, exports, logger, gate, offered, metrics, checkReady } = options;
  const { inFlight = openInFlight({ maxInFlight: null }), tracing = null } = options;
  return createYoga<Record<string, unknown>, ApiContext>({
    schema,
    context: (initial) => makeContext(services, initial.request, identityOf(initial as ServerContext)),
    graphqlEndpoint,
    graphiql: false,
    landingPage: false,
    // Yoga answers whatever ends in this, before anybody is asked who they are: so nothing may, as no address ends so.
    healthCheckEndpoint: ' ',
    // No other origin's page has any business here: agents and GraphiQL send none or our own.
    cors: false,
    logging: {
      debug: () => {},
      info: (...args) => logger.info({ details: args }, 'graphql'),
      warn: (...args) => logger.warn({ details: args }, 'graphql'),
      error: (error) => logger.error({ err: error }, 'request failed'),
    },
    maskedErrors: { maskError },
    multipart: false,
    // Bounded by useBoundedBodies.
    maxRequestBodySize: false,
    parserAndValidationCache: boundedDocumentCache(),
    plugins: [
      useMetrics(metrics),
      useAddressLimit(services.limits, graphqlEndpoint),
      useSameSite(),
      useGate({
        gate,
        isPage: (request) => offered.graphiql && shouldRenderGraphiQL(request),
        async onRefused({ code, credential, reason }, request, context) {
          const path = new URL(request.url).pathname;
          const token = credential ? { token: { id: credential } } : {};
          const why = { code, ...(reason ? { reason } : {}) };
          const from = { route: routeOf(path), address: clientAddressOf(context) };
          services.audit('auth.refused', null, { ...why, ...from, ...token });
          // Whoever shows none guesses nothing.
          if (!request.headers.has('authorization')) return null;
          const tooMany = await services.limits.countFailedCredentials(clientAddressOf(context));
          return tooMany && tooManyResponse(tooMany, path === graphqlEndpoint);
        },
      }),
      useNoFormBodies([graphqlEndpoint, ...(offered.pythonRoutes ? ['/report'] : [])]),
      useBoundedBodies(inFlight),
      useOperationLimit(services.limits, graphqlEndpoint),
      {
        async onRequest({ request, url, endResponse, serverContext }) {
          const response = await route(request, url, serverContext as Context);
          if (response) endResponse(response);
        },
      },
      ...(offered.graphiql ? [useGraphiqlPage(graphqlEndpoint, services.now)] : []),
      useReadableParameters(),
      useSingleOperation(),
      useDocumentBounds(),
      useQueryGate(inFlight),
      useVariableBounds(),
      useInputErrors(),
      useAudit(),
      useScopes(),
      useQueryCost(),
      useTruncated(),
      useErrorBounds(),
      // Errors would say bit by bit what the schema has.
      ...(offered.introspection ? [] : [withoutIntrospection, useHiddenSuggestions()]),
      useErrorCodes(),
      ...(tracing ? [useTracing(tracing, graphqlEndpoint)] : []),
    ],
  });

  /** Every route but GraphQL's; null for that one. */
  async function route(request: Request, url: URL, context: Context): Promise<Response | null> {
    try {
      if (url.pathname.startsWith(exportFolder)) {
        const identity = identityOf(context);
        if (identity.kind !== 'everyone')
          services.audit('export', identity, { path: knownExport(url.pathname) });
        return await exports.answer(request, url, identity, cutOffOf(context));
      }
      // A load balancer may ask for the head alone; what sends the answer leaves its body out.
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      switch (`${method} ${url.pathname}`) {
        case 'GET /':
          return new Response(null, { status: 302, headers: { location: graphqlEndpoint } });
        case 'GET /health':
          return Response.json({ health: 'ok' });
        case 'GET /ready':
          return await ready();
        case 'GET /metrics':
          return await metricsPage(context);
        case 'GET /report':
          return offered.pythonRoutes
            ? await getPythonReport(url, services, identityOf(context))
            : notFound(url);
        case 'POST /report':
          return offered.pythonRoutes
            ? await postPythonReport(request, services, identityOf(context))
            : notFound(url);
        default:
          return url.pathname === graphqlEndpoint ? null : notFound(url);
      }
    } catch (cause) {
      // Whoever goes before all of a body is here is told nothing, and is no failure of ours.
      if (context.req?.destroyed && !context.req.complete) return new Response(null, { status: 400 });
      logger.error({ err: cause, route: routeOf(url.pathname) }, 'request failed');
      const unavailable = cause instanceof Failure && cause.kind === 'UNAVAILABLE';
      if (!unavailable) return Response.json({ status: 'error', error: 'internal error' }, { status: 500 });
      return tryLater({ status: 'error', error: 'the store does not answer: send it again later' }, cause);
    }
  }

  async function ready(): Promise<Response> {
    const parts = await checkReady();
    if (Object.keys(parts).length === 0) return Response.json({ ready: true });
    const error = Object.entries(parts)
      .map(([part, reason]) => `the ${part} ${reason}`)
      .join('; ');
    return tryLater({ ready: false, error, parts }, null);
  }

  async function metricsPage(context: Context): Promise<Response> {
    const identity = identityOf(context);
    // They tell of the whole fleet.
    if (!hasScope(identity, 'read') || identity.narrowedTo !== null) {
      const error = 'metrics need the scope read, for all hosts';
      return Response.json({ status: 'error', error }, { status: 403 });
    }
    return new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } });
  }
}

const withoutIntrospection: Plugin = {
  onValidate: ({ addValidationRule }) => addValidationRule(NoSchemaIntrospectionCustomRule),
};

/** Of a request that came over a socket; others have neither. */
type Context = ServerContext & { req?: IncomingMessage; res?: ServerResponse };

/** What breaks the connection that a request came by; undefined where it came by none. */
function cutOffOf(context: Context): (() => void) | undefined {
  const { res } = context;
  return res && (() => res.socket && breakOff(res.socket));
}

function tryLater(body: object, cause: unknown): Response {
  return Response.json(body, { status: 503, headers: { 'retry-after': String(retryAfter(cause)) } });
}

/** Null for one that there is not, whose name may be anything. */
function knownExport(pathname: string): string | null {
  return exportPaths.find((known) => known === pathname) ?? null;
}

function notFound(url: URL): Response {
  const error = `no ${url.pathname} here: GraphQL and GraphiQL are at ${graphqlEndpoint}`;
  return Response.json({ status: 'error', error }, { status: 404 });
}
