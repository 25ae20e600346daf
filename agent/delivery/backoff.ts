/**
 * backoff: how long to wait after failures in a row.
 *
 * Doubles up to a cap, and takes any moment of that, evenly: hosts that failed together come back apart, however long it
 * lasted. Jitter before the cap would have them all wait for the cap itself.
 */
export type BackoffSettings = {
  /** After the first failure, at most. @default 1000 */
  baseMs: number;
  /** @default 300000 */
  capMs: number;
};

export const defaultBackoff: BackoffSettings = { baseMs: 1_000, capMs: 5 * 60 * 1_000 };

/**
 * What the API asked for is waited for first, as it asks all hosts for the same; then each takes its moment of a stretch
 * at least as long: whoever cannot take them all within five seconds cannot in the sixth either.
 *
 * @param failures in a row, from 1
 * @param random from 0 up to 1
 */
export function backoffMs(
  failures: number,
  random: number,
  retryAfterMs: number | null,
  { baseMs, capMs }: BackoffSettings = defaultBackoff,
): number {
  const askedMs = retryAfterMs ?? 0;
  return askedMs + random * Math.min(capMs, Math.max(askedMs, baseMs * 2 ** (failures - 1)));
}
