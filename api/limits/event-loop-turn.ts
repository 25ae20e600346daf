/**
 * event-loop-turn: how long the event loop has been at it without coming round.
 *
 * Node begins all requests that are there before it goes on with any of them. So this is how long those that were begun
 * first have been waiting, and it is known at the moment when the next one is to be begun: a histogram of delays tells
 * it when the turn is over. It goes by what the machine can do at the moment, whoever else is on it.
 */

/** @param now milliseconds from any fixed point */
export function openTurn(now: () => number = () => performance.now()): () => number {
  let startedAt: number | null = null;
  return () => {
    if (startedAt === null) {
      startedAt = now();
      setImmediate(() => {
        startedAt = null;
      });
    }
    return now() - startedAt;
  };
}
