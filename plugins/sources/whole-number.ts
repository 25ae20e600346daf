/**
 * whole-number: reads the counts that the kernel writes as text.
 */

/** Null for anything that is no whole number from 0, or too large to be held exactly. */
export function wholeNumber(digits: string | null | undefined): number | null {
  if (!digits || !/^\d{1,16}$/.test(digits)) return null;
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : null;
}

/** That many units in bytes, such as 1024 for the kernel's kB. */
export function wholeBytes(digits: string | null | undefined, unit: number): number | null {
  const bytes = (wholeNumber(digits) ?? Number.NaN) * unit;
  return Number.isSafeInteger(bytes) ? bytes : null;
}
