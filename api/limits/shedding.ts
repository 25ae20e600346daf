/**
 * shedding: refuses what is too much before anything of it is looked at, so that what is taken is done in time.
 *
 * Stands before all else that answers: a refusal costs a twentieth of a report. `/health` and its like always pass.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { exportFolder } from '../export/export-kinds.ts';
import type { InFlight } from './in-flight.ts';
import { unlimitedPaths } from './rate-limits.ts';
import { openUnreadAnswers } from './unread-answers.ts';

/** A connection is worth reading so much that nobody wants. */
const drainedBytes = 64 * 1024;

/**
 * @param endpoint of GraphQL, which has errors of its own shape
 * @param onRefused told of each request that is refused
 */
export function shedding(
  listener: RequestListener,
  inFlight: InFlight,
  endpoint: string,
  onRefused: () => void = () => {},
): RequestListener {
  const watchUnread = openUnreadAnswers();
  return (request, response) => {
    const [path = ''] = request.url?.split('?', 1) ?? [];
    if (!Number.isFinite(inFlight.settings.maxInFlight)) {
      if (!path.startsWith(exportFolder)) onHead(response, () => watchUnread(response));
      return listener(request, response);
    }
    if (unlimitedPaths.includes(path)) return listener(request, response);
    const refuse = () => {
      onRefused();
      // What is left of a small body is read and thrown away; a large one is not waited for.
      const closes = expectedBytes(request) > drainedBytes;
      answerBusy(response, { isGraphql: path === endpoint, seconds: inFlight.retryAfterSeconds(), closes });
    };
    if (inFlight.isFull()) return refuse();
    const body = watchBody(request);
    // A small body comes together with its head, and is there once the parser is done with what it has.
    process.nextTick(() => {
      const flight = inFlight.take(request, body.isComplete());
      if (!flight?.grow(body.bytes())) {
        flight?.end();
        refuse();
        return;
      }
      body.onMore((bytes, isLast) => {
        if (isLast) flight.arrived();
        // It is read by others by now: that it is cut off is all that can still be told.
        else if (!flight.grow(bytes)) request.destroy();
      });
      onHead(response, () => {
        // Streams of events and exports have bounds of their own, so the work ends with the head of the answer.
        flight.end();
        if (!path.startsWith(exportFolder)) watchUnread(response);
      });
      response.once('close', flight.end);
      listener(request, response);
    });
  };
}

/**
 * Sees the body come without reading it: whoever reads a stream too early takes it from those who come after.
 * Node hands each part to `push`, and null at the end.
 */
function watchBody(request: IncomingMessage) {
  const push = request.push.bind(request);
  const expected = expectedBytes(request);
  let bytes = 0;
  let isComplete = false;
  let tell: ((bytes: number, isLast: boolean) => void) | null = null;
  request.push = (chunk, ...rest) => {
    const length = chunk?.length ?? 0;
    bytes += length;
    isComplete ||= chunk === null;
    tell?.(length, chunk === null);
    return push(chunk, ...rest);
  };
  return {
    bytes: () => bytes,
    // The end itself is told a little later than the last part.
    isComplete: () => isComplete || bytes >= expected,
    onMore(listener: (bytes: number, isLast: boolean) => void) {
      tell = listener;
    },
  };
}

/** Tells when the head of an answer is written. */
function onHead(response: ServerResponse, tell: () => void): void {
  const { writeHead } = response;
  response.writeHead = ((...args: Parameters<typeof writeHead>) => {
    tell();
    return writeHead.apply(response, args);
  }) as typeof writeHead;
}

/** Infinite for a body in chunks, of which only the end tells. */
function expectedBytes({ headers }: IncomingMessage): number {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  return encoding === undefined ? Number(length ?? 0) : Number.POSITIVE_INFINITY;
}

type Refusal = { isGraphql: boolean; seconds: number; closes: boolean };

function answerBusy(response: ServerResponse, { isGraphql, seconds, closes }: Refusal): void {
  const text = busyBody(seconds, isGraphql);
  response.writeHead(503, {
    'content-type': 'application/json',
    'content-length': text.length,
    'retry-after': String(seconds),
    ...(closes ? { connection: 'close' } : {}),
  });
  response.end(text);
}

/** The same for what has been taken already. */
export function busyResponse(seconds: number, isGraphql: boolean): Response {
  const headers = { 'content-type': 'application/json', 'retry-after': String(seconds) };
  return new Response(busyBody(seconds, isGraphql), { status: 503, headers });
}

function busyBody(retryAfter: number, isGraphql: boolean): string {
  const message = 'the API is busy: nothing was stored, send it again later';
  const errors = [{ message, extensions: { code: 'UNAVAILABLE', retryAfter } }];
  return JSON.stringify(isGraphql ? { errors } : { status: 'error', error: message });
}
