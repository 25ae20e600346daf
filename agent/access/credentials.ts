/** credentials: what the agent shows to the API, and what becomes of it when the API does not take it. */
import type { Hints } from '../submit-error.ts';

export type Credentials = {
  /**
   * What goes with the next request; null for nothing. A secret: never shown and never logged.
   *
   * @throws SubmitError when there is none and none can be had now; the reason of `stop` once that is aborted
   */
  current(stop: AbortSignal): Promise<string | null>;
  /**
   * Another one, once the API has refused what `current` gave; null when there is no other for now.
   *
   * @throws as `current`
   */
  renew(refused: string | null, stop: AbortSignal): Promise<string | null>;
  hints: Hints;
};

export const hintsForNone: Hints = {
  UNAUTHENTICATED: 'set api.enrolment to an enrolment secret, or api.token to a token',
};

const hintsForToken: Hints = {
  UNAUTHENTICATED:
    'is the token right, of api.token or OS_INSPECTOR_TOKEN? It may be revoked or have expired',
  FORBIDDEN:
    'the token of api.token or OS_INSPECTOR_TOKEN may not do this: it needs the scope submit, and to be for this host or for all',
};

/** A token that the operator made, or none. */
export function fixedToken(token: string | null): Credentials {
  return {
    current: async () => token,
    renew: async () => null,
    hints: token === null ? hintsForNone : hintsForToken,
  };
}
