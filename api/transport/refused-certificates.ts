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
  const counts = new Map<string, number>();
  server.on('tlsClientError', ({ code }: NodeJS.ErrnoException, { authorizationError }: TLSSocket) => {
    const reason = authorizationError ? String(authorizationError) : code;
    if (reason === undefined || !(authorizationError || code === noCertificate)) return;
    const count = counts.get(reason);
    counts.set(reason, (count ?? -1) + 1);
    if (count !== undefined) return;
    tell(reason, 1);
    setTimeout(() => {
      const meanwhile = counts.get(reason) ?? 0;
      counts.delete(reason);
      if (meanwhile > 0) tell(reason, meanwhile);
    }, tellEveryMs).unref();
  });
}
