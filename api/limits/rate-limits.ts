/**
 * rate-limits: answers 429 to whoever asks too often: by address before anything is read, by identity before anything runs.
 */
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { identityOf, type ServerContext } from '../auth/gate.ts';
import type { ApiContext } from '../context.ts';
import { refuseBeforeRunning } from '../refuse-before-running.ts';
import { clientAddressOf } from '../transport/client-address.ts';
import type { Limits, TooMany } from './limits.ts';

/** Whoever looks whether the process is well must always hear it. */
export const unlimitedPaths = ['/health', '/ready', '/metrics'];

/** To stand before whatever reads a body, or looks at credentials. */
export function useAddressLimit(limits: Limits, endpoint: string): Plugin {
  return {
    async onRequest({ url, endResponse, serverContext }) {
      if (unlimitedPaths.includes(url.pathname)) return;
      const refused = await limits.takeRequest(clientAddressOf(serverContext));
      if (refused) endResponse(tooManyResponse(refused, url.pathname === endpoint));
    },
  };
}

/** To stand behind what finds out who asks, and before what answers routes. */
export function useOperationLimit(limits: Limits, endpoint: string): Plugin<ApiContext> {
  return {
    // Those of GraphQL are counted as they begin.
    ...refuseBeforeRunning(async ({ contextValue }) => {
      const refused = await limits.takeOperation((contextValue as ApiContext).identity);
      return refused ? [rateLimited(refused)] : [];
    }),
    async onRequest({ url, endResponse, serverContext }) {
      if (unlimitedPaths.includes(url.pathname) || url.pathname === endpoint) return;
      const refused = await limits.takeOperation(identityOf(serverContext as ServerContext));
      if (refused) endResponse(tooManyResponse(refused, false));
    },
  };
}

/** As an error of GraphQL, which makes the answer a 429. */
export function rateLimited(refused: TooMany): GraphQLError {
  const { retryAfterSeconds } = refused;
  const http = { status: 429, headers: { 'retry-after': String(retryAfterSeconds) } };
  return new GraphQLError(messageOf(refused), {
    extensions: { code: 'RATE_LIMITED', path: [], retryAfter: retryAfterSeconds, http },
  });
}

/** In the shape that clients of that route expect errors in. */
export function tooManyResponse(refused: TooMany, isGraphql: boolean): Response {
  const message = messageOf(refused);
  const { retryAfterSeconds } = refused;
  const extensions = { code: 'RATE_LIMITED', retryAfter: retryAfterSeconds };
  const body = isGraphql ? { errors: [{ message, extensions }] } : { status: 'error', error: message };
  return Response.json(body, { status: 429, headers: { 'retry-after': String(retryAfterSeconds) } });
}

function messageOf({ message, retryAfterSeconds }: TooMany): string {
  return `${message}; come again in ${retryAfterSeconds} s`;
}
