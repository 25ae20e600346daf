/**
 * failure: errors sorted by what the caller does next.
 *
 * INVALID: fix the input. UNAVAILABLE: try again later. CORRUPT: stop and look at the stored data.
 * Anything else that is thrown is a bug of ours.
 */
export const failureKinds = ['INVALID', 'UNAVAILABLE', 'CORRUPT'] as const;
export type FailureKind = (typeof failureKinds)[number];

export type FailureOptions = ErrorOptions & {
  /** How long to wait before trying again. @default 5 */
  retryAfterSeconds?: number;
};

/** A store that restarts or loses its network for a moment is back by then. */
const usualRetrySeconds = 5;

export class Failure extends Error {
  override name = 'Failure';
  readonly kind: FailureKind;
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: FailureKind, message: string, { retryAfterSeconds, ...options }: FailureOptions = {}) {
    super(message, options);
    this.kind = kind;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What to tell a client that is to try again later: whole seconds, at least 1. */
export function retryAfter(cause: unknown): number {
  const seconds = cause instanceof Failure ? cause.retryAfterSeconds : undefined;
  return Math.max(1, Math.ceil(seconds ?? usualRetrySeconds));
}
