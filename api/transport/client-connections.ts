/**
 * client-connections: ends the connections of clients whose certificates were checked against what holds no more.
 *
 * A certificate is checked as a connection begins, which may last for days; so one that is revoked would go on as long.
 */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/**
 * Returns what ends the connections that are there: idle ones at once, others after what they are answered now, whatever still
 * lasts by force; and those that have only begun once their certificate is checked, as that is by the old rules yet.
 *
 * @param leaveWithinMs how long what is under way may take to be answered
 */
export function makeEndClients(server: Server, leaveWithinMs = 10_000): () => void {
  const open = new Set<TLSSocket>();
  const leaving = new WeakSet<object>();
  /** By where they come from, as what TLS stands on is another socket. */
  const beginning = new Set<string>();
  const begunTooEarly = new Set<string>();
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    beginning.add(peer);
    socket.once('close', () => {
      beginning.delete(peer);
      begunTooEarly.delete(peer);
    });
  });
  // Before whatever reads a request from it, which may be there already.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const peer = peerOf(socket);
    beginning.delete(peer);
    if (begunTooEarly.delete(peer)) {
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

  return () => {
    const those = [...open];
    for (const socket of those) leaving.add(socket);
    for (const peer of beginning) begunTooEarly.add(peer);
    server.closeIdleConnections();
    setTimeout(() => {
      for (const socket of those) socket.destroy();
    }, leaveWithinMs).unref();
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
