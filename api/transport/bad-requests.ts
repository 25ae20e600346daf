/** bad-requests: what a client gets that speaks no HTTP, or too slowly: an answer that says so, and the end of its connection. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

type Refusal = { status: string; message: string };

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

/** @param headers that every answer has */
export function answerBadRequests(server: Server, headers: readonly [string, string][]): void {
  /** Connections on which an answer has begun: another one in the middle of it would be taken for a part of it. */
  const answering = new WeakMap<Duplex, number>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1);
    response.once('close', () => answering.set(socket, (answering.get(socket) ?? 1) - 1));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable || (answering.get(socket) ?? 0) > 0) {
      socket.destroy();
      return;
    }
    const { status, message } = refusals[error.code ?? ''] ?? notHttp;
    const body = JSON.stringify({ status: 'error', error: message });
    const head = [
      `HTTP/1.1 ${status}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      'connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}
