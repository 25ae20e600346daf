/**
 * gate: lets nobody in of whom it is not known who they are, before anything else is done for them.
 *
 * Whatever the path, a stranger gets the same answer. Only whether the process is up and ready is told to anyone.
 */
import type { Plugin } from 'graphql-yoga';
import { refusalResponse } from '../transport/refusal-response.ts';
import { type Authenticate, isRefusal, type Refusal } from './authenticate.ts';
import { everyone, type Identity } from './identity.ts';

/** What the server knows of a request beside the request itself; the gate adds who sent it. */
export type ServerContext = { identity?: Identity };

export type Gate = (request: Request, context: ServerContext) => Promise<Identity | Refusal>;

/** Without authentication, for loopback alone. */
export const openGate: Gate = async () => everyone;

/** @param certificateOf who the client is by the certificate of its connection; null where it showed none */
export function makeGate(
  authenticate: Authenticate,
  certificateOf: (context: ServerContext) => Identity | null = () => null,
): Gate {
  return (request, context) => authenticate(request.headers, certificateOf(context));
}

/** Of load balancers and supervisors, which have no credentials. */
const openPaths = ['/health', '/ready'];

export type GateOptions = {
  gate: Gate;
  /** Where browsers are asked for credentials, as it has pages for people. */
  isPage: (request: Request) => boolean;
  /** Told of each request that is not let in. @returns what it is answered instead; null for the refusal */
  onRefused: (refusal: Refusal, request: Request, context: ServerContext) => Promise<Response | null>;
};

export function useGate({ gate, isPage, onRefused }: GateOptions): Plugin {
  return {
    async onRequest({ request, url, serverContext, endResponse }) {
      if (openPaths.includes(url.pathname)) return;
      const context = serverContext as ServerContext;
      const answer = await gate(request, context);
      if (isRefusal(answer)) {
        const instead = await onRefused(answer, request, context);
        endResponse(instead ?? refused(answer, isPage(request)));
      } else {
        context.identity = answer;
      }
    },
  };
}

/** @throws Error where no gate was passed: whoever that is, they get nothing */
export function identityOf({ identity }: ServerContext): Identity {
  if (!identity) throw new Error('a request came past the gate');
  return identity;
}

function refused({ code, message }: Refusal, isPage: boolean): Response {
  const uncached = { 'cache-control': 'no-store' };
  if (code === 'UNAVAILABLE') return refusalResponse(503, code, message, { ...uncached, 'retry-after': '5' });
  // For a page nothing but Basic: several ways in one header are one that browsers do not know, and ask for nothing.
  // A browser that fetches for a script would ask its user in the middle of it.
  const basic = 'Basic realm="os-inspector: a token as the password", charset="UTF-8"';
  const challenge = isPage ? basic : 'Bearer realm="os-inspector"';
  return refusalResponse(401, code, message, { ...uncached, 'www-authenticate': challenge });
}
