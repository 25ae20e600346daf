/** rough: lengths of time and amounts of bytes for people: as much as says something. */

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** 90000 is `1 min`; below one second `0 s`. */
export function roughDuration(ms: number): string {
  const [unit, size] = units.find(([, size]) => ms >= size) ?? (['s', 1_000] as const);
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}

/** `3 min ago` or `in 3 min`. */
export function fromNow(time: string, now: number): string {
  const ms = Date.parse(time) - now;
  return ms < 0 ? `${roughDuration(-ms)} ago` : `in ${roughDuration(ms)}`;
}

export function roughBytes(bytes: number): string {
  const [unit, size] =
    (
      [
        ['GiB', 2 ** 30],
        ['MiB', 2 ** 20],
        ['KiB', 2 ** 10],
      ] as const
    ).find(([, size]) => bytes >= size) ?? (['B', 1] as const);
  const amount = bytes / size;
  return `${amount < 10 && size > 1 ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
}
