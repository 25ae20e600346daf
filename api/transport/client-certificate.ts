/** client-certificate: who a client is by the certificate of its connection, which only its TLS can tell: no header can. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { validate as isUuid } from 'uuid';
import type { Identity, Scope } from '../auth/identity.ts';

/** What Yoga hands on of a request that came by a socket. */
type Carried = { req?: Pick<IncomingMessage, 'socket'> };

/**
 * A UUID as the common name, or as `URI:urn:uuid:…` among the subject's alternative names, is that of the only host it
 * is good for.
 *
 * @param scopes what a certificate allows; with none of them it says nothing about who that is
 */
export function makeCertificateOf(scopes: readonly Scope[]): (context: object) => Identity | null {
  const known = new WeakMap<TLSSocket, Identity>();
  return (context) => {
    const socket = (context as Carried).req?.socket;
    if (scopes.length === 0 || !(socket instanceof TLSSocket) || !socket.authorized) return null;
    const found = known.get(socket) ?? identify(socket, scopes);
    if (found) known.set(socket, found);
    return found;
  };
}

function identify(socket: TLSSocket, scopes: readonly Scope[]): Identity | null {
  const certificate = socket.getPeerX509Certificate();
  // Whoever has one that may sign others could make itself one in the name of any host.
  if (!certificate || certificate.ca) return null;
  const commonName = /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? '';
  const [, uri] = /\bURI:urn:uuid:([0-9a-fA-F-]{36})/.exec(certificate.subjectAltName ?? '') ?? [];
  const hostId = [uri, commonName].find((name) => name !== undefined && isUuid(name)) ?? null;
  return {
    kind: 'certificate',
    id: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    name: commonName || certificate.fingerprint256,
    scopes: new Set(scopes),
    narrowedTo: hostId === null ? null : { hostId: hostId.toLowerCase(), labels: null },
  };
}
