/** network-checks: the way to the API, step by step: its name, a connection, its certificate. */
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls';
import { nodeTls } from '../../plugins/node-http.ts';
import { errorText } from '../error-text.ts';
import { roughDuration } from '../status/rough.ts';
import { type Check, failed, ok, skipped, warning } from './check.ts';

const timeoutMs = 10_000;
/** Whoever renews by hand needs some days. */
const expiresSoonMs = 14 * 86_400_000;

/** Where a URL leads to; IPv6 without its brackets. */
export function endpointOf(url: URL): { host: string; port: number } {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) };
}

export async function checkDns(url: URL): Promise<Check> {
  const { host } = endpointOf(url);
  if (isIP(host) > 0) return ok('dns', `${host} is an address and needs no name server`);
  try {
    const found = await lookup(host, { all: true });
    return ok('dns', `${host} is ${found.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND') {
      const todo = 'correct api.url, or have the name server or /etc/hosts of this machine know it';
      return failed('dns', `there is no host ${host}`, todo);
    }
    const todo = 'look at /etc/resolv.conf and whether the network is up';
    return failed('dns', `the name server does not answer for ${host}: ${errorText(error)}`, todo);
  }
}

export async function checkTcp(url: URL): Promise<Check> {
  const { host, port } = endpointOf(url);
  const startedAt = performance.now();
  try {
    await new Promise<void>((resolve, reject) => {
      const socket = connectTcp({ host, port, timeout: timeoutMs });
      socket.once('connect', () => resolve(void socket.destroy()));
      socket.once('timeout', () => socket.destroy(new Error(`no answer within ${roughDuration(timeoutMs)}`)));
      socket.once('error', reject);
    });
    return ok('tcp', `${host} port ${port} answers in ${Math.round(performance.now() - startedAt)} ms`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const todo =
      code === 'ECONNREFUSED'
        ? 'start the API there, and have it listen on that address (HOST, PORT), or correct api.url'
        : 'see whether the network is up and whether a firewall lets it through';
    return failed('tcp', `cannot connect to ${host} port ${port}: ${code ?? errorText(error)}`, todo);
  }
}

/** @param now milliseconds since 1970 */
export async function checkTls(url: URL, now: number, tls: ConnectionOptions = {}): Promise<Check> {
  if (url.protocol === 'http:') return skipped('tls', 'api.url begins with http://');
  let socket: TLSSocket;
  try {
    socket = await handshake(url, tls);
  } catch (error) {
    const todo = 'use http:// in api.url if the API speaks no TLS, or look at what stands before it';
    // Of OpenSSL; its message is full of numbers.
    const { reason = errorText(error) } = error as { reason?: string };
    return failed('tls', `no TLS: ${reason}`, todo);
  }
  const certificate = socket.getPeerCertificate();
  const { authorizationError } = socket;
  const protocol = socket.getProtocol();
  socket.destroy();
  return judge(certificate, authorizationError ?? null, `${protocol}`, now);
}

/** Whatever the certificate: what is wrong with it is to be told. */
function handshake(url: URL, tls: ConnectionOptions): Promise<TLSSocket> {
  const { host, port } = endpointOf(url);
  // A name in the handshake must not be an address: https://www.rfc-editor.org/rfc/rfc6066#section-3.
  const servername = isIP(host) > 0 ? '' : host;
  return new Promise((resolve, reject) => {
    const where = { ...tls, host, port, servername };
    const socket = nodeTls().connect({ ...where, rejectUnauthorized: false, timeout: timeoutMs });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${roughDuration(timeoutMs)}`)));
    socket.once('error', reject);
  });
}

function judge(
  { valid_from, valid_to, subjectaltname, issuer }: PeerCertificate,
  fault: Error | string | null,
  protocol: string,
  now: number,
): Check {
  const [from, to] = [Date.parse(valid_from), Date.parse(valid_to)];
  const until = new Date(to).toISOString();
  if (now > to) {
    return failed('tls', `the certificate expired ${until}`, 'renew it, or set the clock of this machine');
  }
  if (now < from) {
    const since = new Date(from).toISOString();
    return failed('tls', `the certificate is valid from ${since} on`, 'set the clock of this machine');
  }
  if (fault !== null) {
    const code = typeof fault === 'string' ? fault : ((fault as NodeJS.ErrnoException).code ?? fault.message);
    const isName = code === 'ERR_TLS_CERT_ALTNAME_INVALID';
    const todo = isName
      ? 'use one of its names in api.url'
      : `have the agent trust who issued it: name the PEM file of that authority with api.ca (${nodeTls().rootCertificates.length} others are trusted by default)`;
    const of = isName ? `it is for ${subjectaltname ?? 'no name'}` : `issued by ${issuer?.CN ?? 'nobody'}`;
    return failed('tls', `the certificate is not accepted: ${code}; ${of}`, todo);
  }
  const left = to - now;
  const detail = `${protocol}, certificate valid until ${until} (${roughDuration(left)})`;
  return left < expiresSoonMs ? warning('tls', detail, 'renew the certificate') : ok('tls', detail);
}
