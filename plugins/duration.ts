/** duration: lengths of time as people write them (`60s`, `5m`, `500ms`), in milliseconds. */

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What a length of time looks like as text: a number and one unit. */
export const durationPattern = /^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/;

/** Milliseconds of a text such as `5m`, or of a number of seconds; null for anything else. */
export function parseDuration(value: string | number): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * unitMs.s : null;
  if (!durationPattern.test(value)) return null;
  const unit = value.replace(/^[\d.]+/, '') as keyof typeof unitMs;
  return Number.parseFloat(value) * unitMs[unit];
}

/** The shortest exact text for a number of milliseconds: 90000 is `90s`, 60000 is `1m`. */
export function formatDuration(ms: number): string {
  const [unit, size] = Object.entries(unitMs).findLast(([, size]) => ms >= size && ms % size === 0) ?? [
    'ms',
    1,
  ];
  return `${ms / size}${unit}`;
}
