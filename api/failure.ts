/**
 * failure: errors sorted by what the caller does next.
 *
 * INVALID: fix the input. UNAVAILABLE: try again later. CORRUPT: stop and look at the stored data.
 * Anything else that is thrown is a bug of ours.
 */
export const failureKinds = ['INVALID', 'UNAVAILABLE', 'CORRUPT'] as const;
export type FailureKind = (typeof failureKinds)[number];

export class Failure extends Error {
  override name = 'Failure';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
