/**
 * http-fetch: as much of `fetch` as the agent needs, on Node's own HTTP client.
 *
 * The global `fetch` takes a connection pool of 12 MiB that a report a minute has no use for. What answers at the
 * address may be anything, a file server or a proxy with a fault, so an answer cannot fill the agent's memory.
 */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { nodeHttp, nodeHttps } from '../plugins/node-http.ts';

/** The API acknowledges a report in a few hundred bytes, and its longest errors have some thousands. */
const maxBytes = 1_048_576;

export class AnswerTooLongError extends Error {
  override name = 'AnswerTooLongError';
}

export type HttpFetchOptions = {
  method?: string;
  headers?: Headers;
  body?: string;
  signal?: AbortSignal;
  /** Makes the connection. @default Node's own for the protocol */
  agent?: Agent | undefined;
};

/** What is shorter fits a packet as it is. */
const compressFromLength = 1_024;

/**
 * Sends one request, its body compressed, and resolves once the whole answer is here. Follows no redirect, and asks for no
 * compression.
 *
 * @throws AnswerTooLongError for an answer above 1 MiB; the reason of the signal once that is aborted; else a TypeError
 * whose cause has Node's code for what went wrong, as `fetch` does
 */
export async function httpFetch(
  url: URL,
  { body, headers, ...options }: HttpFetchOptions = {},
): Promise<Response> {
  const isLong = body !== undefined && body.length >= compressFromLength;
  const message: Message = {
    ...options,
    headers: { ...Object.fromEntries(headers ?? []), ...(isLong ? { 'content-encoding': 'gzip' } : {}) },
    body: isLong ? await compress(body) : body,
  };
  try {
    return await send(url, message);
  } catch (error) {
    // A server closes what was idle for long, and may do so just as it is used again. Reports are known by their ids.
    if (error instanceof ConnectionError && error.isReused) return send(url, message);
    throw error;
  }
}

/** What goes over the connection. */
type Message = Pick<HttpFetchOptions, 'method' | 'signal' | 'agent'> & {
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
};

const compress = promisify(gzip);

class ConnectionError extends TypeError {
  readonly isReused: boolean;
  constructor(cause: NodeJS.ErrnoException, isReused: boolean) {
    super('fetch failed', { cause });
    this.isReused = isReused;
  }
}

async function send(url: URL, { method = 'GET', headers, body, signal, agent }: Message): Promise<Response> {
  signal?.throwIfAborted();
  const request = (url.protocol === 'https:' ? nodeHttps() : nodeHttp()).request(url, {
    ...{ method, headers, agent },
  });
  const onAbort = () => request.destroy();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const answer = await answerTo(request, body);
    return toResponse(answer, await bodyOf(answer));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AnswerTooLongError) throw error;
    const isReused = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    throw new ConnectionError(error as NodeJS.ErrnoException, isReused);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function answerTo(request: ClientRequest, body: Message['body'] = ''): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    // With its length known it is not sent in chunks.
    request.end(body);
  });
}

async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    // Leaving the loop ends the connection.
    if (bytes > maxBytes) throw new AnswerTooLongError(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Statuses that go without a body: https://fetch.spec.whatwg.org/#null-body-status. */
const withoutBody = [204, 205, 304];

function toResponse({ statusCode = 0, headersDistinct }: IncomingMessage, body: Buffer): Response {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  const text = withoutBody.includes(statusCode) ? null : body.toString();
  return new Response(text, { status: statusCode, headers });
}
