/** client-address: where a request comes from. */
import type { IncomingMessage } from 'node:http';

/** What Yoga hands on of a request that came by a socket. */
type Carried = { req?: Pick<IncomingMessage, 'socket'> };

/** Empty for a request that came by no socket. */
export function clientAddressOf(context: object): string {
  return (context as Carried).req?.socket.remoteAddress ?? '';
}
