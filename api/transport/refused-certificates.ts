/** refused-certificates: tells why clients get no connection, which they themselves see only as one that is closed. */
import type { Server } from 'node:https';
import type { TLSSocket } from 'node:tls';

const tellEveryMs = 60_000;
const noCertificate = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/**
 * Each reason at once, and then once a minute for all that came meanwhile: whoever sends one bad certificate may send many.
 *
 * @param tell handed OpenSSL's name of the reason, such as CERT_REVOKED, and with how many connections
 */
export function watchRefusedCertificates(
  server: Server,
  tell: (reason: string, connections: number) => void,
): void {
  /** By reason, how many have come since it was told; those of the last minute alone. */
  const counts = new Map<string, number>();
  server.on('tlsClientError', ({ code }: NodeJS.ErrnoException, { authorizationError }: TLSSocket) => {
    // Whoever speaks no TLS was not refused for a certificate.
    if (!authorizationError && code !== noCertificate) return;
    const reason = String(authorizationError ?? code);
    const untold = counts.get(reason);
    if (untold !== undefined) {
      counts.set(reason, untold + 1);
      return;
    }
    counts.set(reason, 0);
    tell(reason, 1);
    setTimeout(() => {
      const meanwhile = counts.get(reason) ?? 0;
      counts.delete(reason);
      if (meanwhile > 0) tell(reason, meanwhile);
    }, tellEveryMs).unref();
  });
}
