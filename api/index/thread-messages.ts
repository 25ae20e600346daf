/**
 * thread-messages: what the threads of an index say to each other.
 *
 * A message costs some twenty microseconds on either side, whatever is in it: what is said in one turn of the event
 * loop goes together. An error would lose what makes it a Failure, so it goes as its parts.
 */
import { Failure, type FailureKind } from '../failure.ts';
import type { SqlIndex } from './sql-index.ts';

export type Call = { id: number; method: keyof SqlIndex; args: unknown[] };

/**
 * Which calls nobody wants any more, in memory that both sides share: a thread that is busy with a statement takes no
 * messages.
 */
export type Cancellations = Int32Array<SharedArrayBuffer>;

/** More than can be under way in one thread at a time. */
const cancellationCells = 4_096;

export function makeCancellations(): Cancellations {
  return new Int32Array(new SharedArrayBuffer(cancellationCells * Int32Array.BYTES_PER_ELEMENT));
}

export function cancel(cells: Cancellations, id: number): void {
  Atomics.store(cells, id % cells.length, id);
}

export function isCancelled(cells: Cancellations, id: number): boolean {
  return Atomics.load(cells, id % cells.length) === id;
}
export type Answer = { id: number; value?: unknown; error?: ErrorMessage };
export type ErrorMessage = { kind: FailureKind | null; message: string; stack: string | undefined };

/** Sends what it is given together with all else of this turn. */
export function gathering<T>(send: (messages: T[]) => void): (message: T) => void {
  let gathered: T[] = [];
  return (message) => {
    gathered.push(message);
    if (gathered.length > 1) return;
    setImmediate(() => {
      const messages = gathered;
      gathered = [];
      send(messages);
    });
  };
}

export function toMessage(cause: unknown): ErrorMessage {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  return {
    kind: error instanceof Failure ? error.kind : null,
    message: error.message,
    stack: error.stack,
  };
}

export function fromMessage({ kind, message, stack }: ErrorMessage): Error {
  const error = kind ? new Failure(kind, message) : new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
