/**
 * client-connections: ends the connections of clients whose certificates were checked against what holds no more.
 *
 * A certificate is checked as a connection begins, which may last for days; so one that is revoked would go on as long.
 */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export type ClientConnections = {
  /** It is ended: what comes on it from now on is not to be begun. */
  isLeaving(socket: object): boolean;
  /**
   * Ends those that are there: idle ones at once, others after the first that they are answered now, whatever still lasts by
   * force; and those that have only begun once their certificate is checked, as that is by the old rules yet.
   */
  end(): void;
};

/** @param leaveWithinMs how long what is under way may take to be answered */
export function watchClientConnections(server: Server, leaveWithinMs = 10_000): ClientConnections {
  const open = new Set<TLSSocket>();
  const leaving = new WeakSet<object>();
  /** By their two ends, as what TLS stands on is another socket. */
  const beginning = new Set<string>();
  const begunTooEarly = new Set<string>();
  server.on('connection', (socket: Socket) => {
    const ends = endsOf(socket);
    beginning.add(ends);
    socket.once('close', () => {
      beginning.delete(ends);
      begunTooEarly.delete(ends);
    });
  });
  // Before whatever reads a request from it, which may be there already.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const ends = endsOf(socket);
    beginning.delete(ends);
    if (begunTooEarly.delete(ends)) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    response.once('finish', () => {
      if (leaving.has(socket)) socket.destroySoon();
    });
  });

  return {
    isLeaving: (socket) => leaving.has(socket),
    end() {
      const those = [...open];
      for (const socket of those) leaving.add(socket);
      for (const ends of beginning) begunTooEarly.add(ends);
      server.closeIdleConnections();
      setTimeout(() => {
        for (const socket of those) socket.destroy();
      }, leaveWithinMs).unref();
    },
  };
}

/** Both: one client may reach two addresses of this machine from the same port. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
