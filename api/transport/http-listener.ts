/**
 * http-listener: the socket that the server answers on, from the first moment to the last.
 *
 * Takes the address before anything else is opened, so that a port that is taken is told at once, and says "starting"
 * until it is handed what answers. HTTP/1.1, with TLS or without.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Network } from '../settings/transport.ts';
import { answerBadRequests, refuse } from './bad-requests.ts';
import { noteClient } from './client-address.ts';
import { watchClientConnections } from './client-connections.ts';
import { securityHeaders } from './headers.ts';
import { watchRefusedCertificates } from './refused-certificates.ts';
import { anotherName, type HeadProblem, isLocalName, maxHeaders, problemOfHead } from './request-head.ts';
import type { TlsChange } from './tls-files.ts';

/** Past this a stop is no longer clean: requests under way are cut off. */
const stopWithinMs = 10_000;
/** Longer than load balancers keep idle connections, which would otherwise send into one that is just closing. */
const keepAliveMs = 75_000;

/** What comes on a connection that is ended already. */
const leaving: HeadProblem = { status: 503, message: 'certificates are checked anew: connect again' };

const hints: Record<string, string> = {
  EADDRINUSE: 'it is taken; set PORT to another one',
  EACCES: 'it is not allowed; set PORT to one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address; set HOST to one it has, or to 0.0.0.0 for all',
  // Some shells keep the name of the machine in HOST.
  ENOTFOUND: 'there is no host of this name; set HOST to an address of this machine',
};

export type ListenOptions = {
  host: string;
  port: number;
  /** Null for HTTP without TLS. @default null */
  tls?: {
    options: SecureContextOptions;
    asksForCertificate: boolean;
    /** Told why certificates of clients are refused, and with how many connections. */
    onRefusedCertificates?: (reason: string, connections: number) => void;
  } | null;
  /** With `none` only addresses and localhost are answered, and no name. @default required */
  auth?: 'none' | 'required';
  /** Whose word is taken on where a request comes from. @default none */
  trustedProxies?: readonly Network[];
  /** @default any number */
  maxConnections?: number;
  /** @default Node's own: a minute */
  headersTimeoutMs?: number;
  /** @default Node's own: five minutes */
  requestTimeoutMs?: number;
};

export type HttpListener = {
  /** Without a path: `http://127.0.0.1:4000`. */
  origin: string;
  /** Hands over what answers from now on. */
  answerWith(listener: RequestListener): void;
  /** What connections begin with from now on; those that are there go on, unless their clients are to be checked anew. */
  changeTls(options: SecureContextOptions, change: TlsChange): void;
  /** Connections that were refused, as there were as many as may be. */
  refusedConnections(): number;
  /** Takes nothing new, and resolves to whether all that was under way has been answered. */
  close(): Promise<boolean>;
};

/** @throws Error that says which address cannot be had, and why */
export async function openHttpListener(options: ListenOptions): Promise<HttpListener> {
  const { host, port, tls = null, trustedProxies = [], maxConnections } = options;
  const { headersTimeoutMs, requestTimeoutMs, auth = 'required' } = options;
  let listener: RequestListener = answerStarting;
  let closing = false;
  let refused = 0;

  const headers = securityHeaders(tls !== null);
  const answer: RequestListener = (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    // A client that keeps its connection must not keep a server that is closing.
    if (closing) response.setHeader('connection', 'close');
    response.once('finish', () => {
      if (closing) setImmediate(() => http.closeIdleConnections());
    });
    const client = noteClient(request, trustedProxies);
    const answersName = auth === 'required' || isLocalName(request.headers.host);
    // What is compared with the origin of a browser's page, which knows the API by that name.
    if (client.host !== null) request.headers.host = client.host;
    const problem = clients?.isLeaving(request.socket)
      ? leaving
      : (problemOfHead(request) ?? (answersName ? null : anotherName));
    if (problem) refuse(response, problem);
    else listener(request, response);
  };
  const bounds = {
    keepAliveTimeout: keepAliveMs,
    // With an answer of ours.
    requireHostHeader: false,
    ...(headersTimeoutMs === undefined ? {} : { headersTimeout: headersTimeoutMs }),
    ...(requestTimeoutMs === undefined ? {} : { requestTimeout: requestTimeoutMs }),
    connectionsCheckingInterval: Math.min(5_000, (headersTimeoutMs ?? 10_000) / 2),
  };
  // A connection that never comes to its first request is no better for being encrypted.
  const handshaking = headersTimeoutMs === undefined ? {} : { handshakeTimeout: headersTimeoutMs };
  const https =
    tls &&
    createHttpsServer(
      { ...bounds, ...handshaking, ...tls.options, ...asking(tls.asksForCertificate) },
      answer,
    );
  const clients = https && tls?.asksForCertificate ? watchClientConnections(https) : null;
  if (https && tls?.onRefusedCertificates) watchRefusedCertificates(https, tls.onRefusedCertificates);
  const http = https ?? createHttpServer(bounds, answer);
  // One more than may be, to see that it is there.
  http.maxHeadersCount = maxHeaders + 1;
  if (maxConnections !== undefined) http.maxConnections = maxConnections;
  http.on('drop', () => {
    refused += 1;
  });
  answerBadRequests(http, headers);
  await new Promise<void>((resolve, reject) => {
    http.once('listening', resolve);
    http.once('error', (cause: NodeJS.ErrnoException) => {
      const hint = hints[cause.code ?? ''];
      reject(new Error(`cannot listen on ${host} port ${port}: ${hint ?? cause.message}`, { cause }));
    });
    http.listen(port, host);
  });
  const { port: actualPort } = http.address() as AddressInfo;
  return {
    origin: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    answerWith(next) {
      listener = next;
    },
    changeTls(next, { checksClientsAnew }) {
      https?.setSecureContext(next);
      if (checksClientsAnew) clients?.end();
    },
    refusedConnections: () => refused,
    close: () =>
      new Promise((resolve) => {
        let clean = true;
        closing = true;
        const timer = setTimeout(() => {
          clean = false;
          http.closeAllConnections();
        }, stopWithinMs);
        http.close(() => {
          clearTimeout(timer);
          resolve(clean);
        });
        http.closeIdleConnections();
      }),
  };
}

/** Who shows none, or one of somebody else's authority, gets no connection. */
function asking(asksForCertificate: boolean) {
  return asksForCertificate ? { requestCert: true, rejectUnauthorized: true } : {};
}

/** While the index catches up: the process is alive, and not ready. */
function answerStarting(request: IncomingMessage, response: ServerResponse): void {
  const isAlive = request.url === '/health';
  response.writeHead(isAlive ? 200 : 503, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end(
    JSON.stringify(isAlive ? { health: 'ok' } : { status: 'error', error: 'starting: try again soon' }),
  );
}
