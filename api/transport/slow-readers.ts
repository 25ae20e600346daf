/** slow-readers: ends connections whose client does not read the answer, which would be kept in memory for as long. */
import type { ServerResponse } from 'node:http';
import { breakOff } from './break-off.ts';

/** For any answer; buffers on the way take small ones at once. */
const graceMs = 60_000;
/** A page of GraphiQL comes within two minutes over any line, and the largest answer is not kept for ever. */
const leastBytesPerSecond = 32 * 1024;

/** Counts from when the answer is complete: streams of events and exports have a rule of their own until then. */
export function cutSlowReaders(
  response: ServerResponse,
  withinMs = graceMs,
  rate = leastBytesPerSecond,
): void {
  response.once('prefinish', () => {
    const { socket } = response;
    if (!socket) return;
    // Not by what has become less of it: a single large write is one thing until its last byte.
    const patienceMs = withinMs + (socket.writableLength / rate) * 1000;
    const timer = setTimeout(() => breakOff(socket), patienceMs).unref();
    const stop = () => clearTimeout(timer);
    response.once('finish', stop);
    response.once('close', stop);
  });
}
