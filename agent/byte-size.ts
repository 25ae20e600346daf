/** byte-size: amounts of bytes as people write them (`64MiB`, `500kB`). */

const unitBytes = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** What an amount of bytes looks like as text: a number and one unit. */
export const byteSizePattern = /^\d+(?:\.\d+)?(?:B|kB|MB|GB|KiB|MiB|GiB)$/;

/** Whole bytes of a text such as `64MiB`, or of a number of bytes; null for anything else. */
export function parseByteSize(value: string | number): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? Math.floor(value) : null;
  if (!byteSizePattern.test(value)) return null;
  const unit = value.replace(/^[\d.]+/, '') as keyof typeof unitBytes;
  return Math.floor(Number.parseFloat(value) * unitBytes[unit]);
}
