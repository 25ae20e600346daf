/**
 * cpu-time: the busy share of the processors between two readings of their counters.
 */

/** Time since boot in any one unit. `idle` counts waiting for disks as idle. */
export type CpuTime = { total: number; idle: number };

/**
 * Reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
 * Guest time comes after these and is left out, because user and nice hold it already.
 */
export function parseCpuTime(stat: string | null): CpuTime | null {
  const line = /^cpu +([\d ]+)/m.exec(stat ?? '')?.[1];
  if (!line) return null;
  const times = line.trim().split(/ +/).slice(0, 8).map(Number);
  const idle = times[3];
  if (idle === undefined) return null;
  return { total: times.reduce((sum, time) => sum + time), idle: idle + (times[4] ?? 0) };
}

/** Null without two readings, and when a counter went backwards: processors left, or the host was resumed. */
export function utilization(before: CpuTime | null, now: CpuTime | null): number | null {
  if (!before || !now) return null;
  const total = now.total - before.total;
  const idle = now.idle - before.idle;
  if (total <= 0 || idle < 0 || idle > total) return null;
  return (total - idle) / total;
}

/** Compares with what the cache holds from the previous collection, and puts the new reading there. */
export function utilizationSince(cache: Map<string, unknown>, now: CpuTime | null): number | null {
  const before = (cache.get('cpuTime') as CpuTime | undefined) ?? null;
  cache.set('cpuTime', now);
  return utilization(before, now);
}
