/**
 * unread-answers: cuts off clients that ask for large answers and do not read them, as these wait in memory.
 *
 * By time: as long as a slow line takes. By size of all of them: the one that has waited the longest goes first.
 */
import type { ServerResponse } from 'node:http';
import { breakOff } from '../transport/break-off.ts';

export type UnreadAnswersSettings = {
  /** Of all that wait together. @default 256 MiB */
  maxBytes?: number;
  /** However small it is. @default a minute */
  leastMs?: number;
  /** What a line takes that is slow and not dead. @default 100 kB a second */
  bytesPerMs?: number;
};

/** Less than that is what the system's own buffers take a moment for. */
const largeBytes = 64 * 1024;

/** @returns what is told of each answer as its head is written, and with that all of it that is there */
export function openUnreadAnswers(settings: UnreadAnswersSettings = {}): (response: ServerResponse) => void {
  const { maxBytes = 256 * 1024 * 1024, leastMs = 60_000, bytesPerMs = 100 } = settings;
  /** The one that has waited the longest comes first. */
  const unread = new Map<ServerResponse, number>();
  let total = 0;

  function watch(response: ServerResponse, bytes: number): void {
    const timer = setTimeout(() => cutOff(response), leastMs + bytes / bytesPerMs).unref();
    const over = () => {
      clearTimeout(timer);
      forget(response);
    };
    response.once('finish', over).once('close', over);
    unread.set(response, bytes);
    total += bytes;
    for (const oldest of unread.keys()) {
      if (total <= maxBytes) break;
      if (oldest !== response) cutOff(oldest);
    }
  }

  function cutOff(response: ServerResponse): void {
    forget(response);
    if (response.socket) breakOff(response.socket);
  }

  function forget(response: ServerResponse): void {
    total -= unread.get(response) ?? 0;
    unread.delete(response);
  }

  return (response) => {
    setImmediate(() => {
      const bytes = response.writableLength;
      if (bytes >= largeBytes && !response.writableFinished && !response.destroyed) watch(response, bytes);
    });
  };
}
