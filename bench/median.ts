/** median: figures that stand for many; one slow run of a shared machine does not move a median. */

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** The value below which this share of the values lies: 0.99 for the p99, 1 for the largest. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (found === undefined) throw new Error('no figures to take a quantile of');
  return found;
}
