/** asker: who sends a request, and from which address, for whoever counts them. */
import type { IncomingMessage } from 'node:http';
import { everyone, type Identity } from '../auth/identity.ts';

export type Asker = { identity: Identity; address: string };

/** What Yoga hands on of a request that came by a socket. */
type ServerContext = { req?: Pick<IncomingMessage, 'socket'> };

export function askerOf(_request: Request, context: object): Asker {
  const { req } = context as ServerContext;
  return { identity: everyone, address: req?.socket.remoteAddress ?? '' };
}
