/**
 * client-connections: ends the connections of clients whose certificates were checked against what holds no more.
 *
 * A certificate is checked as a connection begins, which may last for days; so one that is revoked would go on as long.
 */
import type { Server } from 'node:https';
import type { TLSSocket } from 'node:tls';

export type ClientTimes = {
  /** How long a handshake may take. @default Node's own: two minutes */
  handshakeMs?: number | undefined;
  /** How long what is under way may take to be answered. @default 10 s */
  leaveWithinMs?: number;
};

/**
 * Returns what ends the connections that are there: idle ones at once, others after what they are answered now, whatever still
 * lasts by force.
 */
export function makeEndClients(
  server: Server,
  { handshakeMs = 120_000, leaveWithinMs = 10_000 }: ClientTimes = {},
): () => void {
  const open = new Set<TLSSocket>();
  const leaving = new WeakSet<object>();
  server.on('secureConnection', (socket: TLSSocket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    response.once('finish', () => {
      if (leaving.has(socket)) socket.destroySoon();
    });
  });

  function leave(): void {
    const those = [...open];
    for (const socket of those) leaving.add(socket);
    server.closeIdleConnections();
    setTimeout(() => {
      for (const socket of those) socket.destroy();
    }, leaveWithinMs).unref();
  }

  return () => {
    leave();
    // Some may have begun before, and be checked against the old yet.
    setTimeout(leave, handshakeMs).unref();
  };
}
