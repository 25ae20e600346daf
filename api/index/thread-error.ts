/** thread-error: carries an error from one thread to another, which would lose what makes it a Failure. */
import { Failure, type FailureKind } from '../failure.ts';

export type ErrorMessage = { kind: FailureKind | null; message: string; stack: string | undefined };

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
