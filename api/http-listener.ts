/**
 * http-listener: the socket that the server answers on, from the first moment to the last.
 *
 * Takes the address before anything else is opened, so that a port that is taken is told at once, and
 * says "starting" until it is handed what answers.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Past this a stop is no longer clean: requests under way are cut off. */
const stopWithinMs = 10_000;

const hints: Record<string, string> = {
  EADDRINUSE: 'it is taken; set PORT to another one',
  EACCES: 'it is not allowed; set PORT to one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address; set HOST to one it has, or to 0.0.0.0 for all',
  // Some shells keep the name of the machine in HOST.
  ENOTFOUND: 'there is no host of this name; set HOST to an address of this machine',
};

export type HttpListener = {
  /** Without a path: `http://127.0.0.1:4000`. */
  origin: string;
  /** Hands over what answers from now on. */
  answerWith(listener: RequestListener): void;
  /** Takes nothing new, and resolves to whether all that was under way has been answered. */
  close(): Promise<boolean>;
};

/** @throws Error that says which address cannot be had, and why */
export async function openHttpListener(host: string, port: number): Promise<HttpListener> {
  let listener: RequestListener = answerStarting;
  let closing = false;
  const http = createServer((request, response) => {
    // A client that keeps its connection must not keep a server that is closing.
    if (closing) response.setHeader('connection', 'close');
    response.once('finish', () => {
      if (closing) setImmediate(() => http.closeIdleConnections());
    });
    if (isHost(request.headers.host)) listener(request, response);
    else refuse(response);
  });
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
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    answerWith(next) {
      listener = next;
    },
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

/** What comes after this makes a URL of it; a name that is none would fail there. */
function isHost(host: string | undefined): boolean {
  return host === undefined || (host !== '' && URL.canParse(`http://${host}/`));
}

function refuse(response: ServerResponse): void {
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ status: 'error', error: 'the Host header is not a host' }));
}

/** While the index catches up: the process is alive, and not ready. */
function answerStarting(request: IncomingMessage, response: ServerResponse): void {
  const isAlive = request.url === '/health';
  response.writeHead(isAlive ? 200 : 503, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end(
    JSON.stringify(isAlive ? { health: 'ok' } : { status: 'error', error: 'starting: try again soon' }),
  );
}
