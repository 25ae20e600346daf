/**
 * bad-requests: what a client gets that speaks no HTTP, or too slowly, or asks for what no server here does: an answer that says so.
 *
 * What Node refuses itself ends the connection as well. Where a body is not taken, what is still sent of it is read and
 * thrown away, for as long as a request may take: to close at once would take the answer away from its client.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type HeadProblem, methods } from './request-head.ts';

type Refusal = { status: string; message: string };

/** How long a client may take to read why it is refused, until its connection ends whether or not it has. */
const lingerMs = 5_000;

const refusals: Record<string, Refusal> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', message: 'the request did not come in time' },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    message: 'the head of the request is larger than 16 KiB',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: '413 Content Too Large',
    message: 'the chunks have too long extensions',
  },
};
const notHttp: Refusal = { status: '400 Bad Request', message: 'this is not a request of HTTP/1.1' };
const noTunnel: Refusal = { status: '405 Method Not Allowed', message: 'this is no proxy' };

/** @param headers that every answer has */
export function answerBadRequests(server: Server, headers: readonly [string, string][]): void {
  /** Of each connection, what is to be answered yet, in the order of the requests. */
  const waiting = new WeakMap<Duplex, Set<ServerResponse>>();
  /** What comes after a bad request is nobody's any more. */
  const bad = new WeakSet<Duplex>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const responses = waiting.get(socket) ?? new Set();
    waiting.set(socket, responses.add(response));
    response.once('close', () => responses.delete(response));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (bad.has(socket)) return;
    bad.add(socket);
    const refuseIt = () => end(socket, refusals[error.code ?? ''] ?? notHttp, headers);
    const last = [...(waiting.get(socket) ?? [])].at(-1);
    // What is no error of HTTP is one of the connection: gone, or never come to a handshake.
    if (!/^(?:HPE|ERR_HTTP)_/.test(error.code ?? '') || !socket.writable) socket.destroy();
    else if (!last) refuseIt();
    // It is the next request that is bad: those before it are answered.
    else if (last.req.complete) last.once('close', refuseIt);
    // In the middle of an answer this would be taken for a part of it, and before others for the first of them.
    else if (last.headersSent || waiting.get(socket)?.size !== 1) socket.destroy();
    else refuseIt();
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    end(socket, noTunnel, headers);
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    refuse(response, { status: 417, message: 'only 100-continue can be expected' });
  });
}

/** An answer before anything is made of the request, and the end of the connection. */
export function refuse(response: ServerResponse, { status, message }: HeadProblem): void {
  const body = bodyOf(message);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(status === 405 ? { allow: methods.join(', ') } : {}),
    connection: 'close',
  });
  response.end(body);
}

function end(socket: Duplex, { status, message }: Refusal, headers: readonly [string, string][]): void {
  const body = bodyOf(message);
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  if (!socket.writable) return;
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

function bodyOf(message: string): string {
  return JSON.stringify({ status: 'error', error: message });
}
