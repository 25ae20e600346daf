/** slow-readers: ends connections whose client does not read the answer, which would be kept in memory for as long. */
import type { ServerResponse } from 'node:http';

const stalledMs = 60_000;

/** Counts from when the answer is complete: streams of events and exports have a rule of their own until then. */
export function cutSlowReaders(response: ServerResponse, withinMs = stalledMs): void {
  response.once('prefinish', () => {
    const { socket } = response;
    if (!socket) return;
    let left = socket.writableLength;
    const timer = setInterval(() => {
      if (socket.writableLength >= left) socket.resetAndDestroy();
      left = socket.writableLength;
    }, withinMs).unref();
    const stop = () => clearInterval(timer);
    response.once('finish', stop);
    response.once('close', stop);
  });
}
