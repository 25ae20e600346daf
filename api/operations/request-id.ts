/**
 * request-id: a name for each request, in its answer and in every line of the log that it leads to.
 *
 * What a client or a proxy calls it is kept, so that one name leads through all of their logs.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';

const current = new AsyncLocalStorage<string>();

/** Short, and nothing that could be taken for something else in a log or a header. */
const sane = /^[\w.:/+=@-]{1,128}$/;

/** Undefined where nothing was asked by a socket. */
export function requestId(): string | undefined {
  return current.getStore();
}

export function withRequestId(listener: RequestListener): RequestListener {
  return (request, response) => {
    const given = request.headers['x-request-id'];
    const id = typeof given === 'string' && sane.test(given) ? given : randomUUID();
    response.setHeader('x-request-id', id);
    current.run(id, listener, request, response);
  };
}
