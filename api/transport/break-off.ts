/** break-off: ends a connection so that its client sees that what it got is not all. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * By a reset and not an end: to a proxy that speaks HTTP/1.0 to us, an end would be that of the answer. TLS has an end
 * of its own, which is left out.
 */
export function breakOff(socket: Socket): void {
  // Node resets none of these.
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
