/**
 * boot-time: when the host booted, the same each time it is asked.
 */

/** Far above the jitter of a slewed clock and rounding, far below what a corrected clock jumps by. */
const toleranceSeconds = 30;

/**
 * Returns the instant, or the one given before when it moved by no more than a clock's jitter: wall
 * clock less uptime wanders by a second, and each wandering would be told as a change.
 */
export function steadyBootTime(cache: Map<string, unknown>, seconds: number | null): string | null {
  if (seconds === null) return null;
  const before = cache.get('bootSeconds');
  const steady =
    typeof before === 'number' && Math.abs(before - seconds) <= toleranceSeconds ? before : seconds;
  cache.set('bootSeconds', steady);
  return new Date(steady * 1000).toISOString();
}

/** `btime` of /proc/stat; null where it is missing or 0, as in some sandboxes. */
export function parseBootSeconds(stat: string | null): number | null {
  const digits = /^btime (\d{1,11})$/m.exec(stat ?? '')?.[1];
  return digits ? Number(digits) || null : null;
}
