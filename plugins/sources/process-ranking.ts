/**
 * process-ranking: which processes use the most, by what two readings of their counters tell.
 */
import type { ProcessStat } from './process-stat.ts';

/** Kept from one collection to the next. `total` is the time of all processors together, in ticks. */
type Before = { total: number; ticks: ReadonlyMap<number, readonly [startTicks: number, cpuTicks: number]> };

export type Usage = { stat: ProcessStat; utilization: number | null };

/**
 * Compares with what the cache holds from the previous collection, and puts the new reading there. Without a previous
 * one, or when no time has passed since, utilization is null. A process that began since then has used all its time since
 * then; a process id that was used again is known by its start.
 *
 * @param total time of all processors since boot, in ticks; null when it is not known
 */
export function usageSince(
  cache: Map<string, unknown>,
  stats: readonly ProcessStat[],
  total: number | null,
): Usage[] {
  const before = cache.get('processTicks') as Before | undefined;
  const passed = before && total !== null ? total - before.total : 0;
  if (total === null) cache.delete('processTicks');
  else {
    const ticks = new Map(stats.map((stat) => [stat.pid, [stat.startTicks, stat.cpuTicks] as const]));
    cache.set('processTicks', { total, ticks } satisfies Before);
  }
  return stats.map((stat) => {
    if (!before || passed <= 0) return { stat, utilization: null };
    const [startTicks, cpuTicks] = before.ticks.get(stat.pid) ?? [];
    const used = stat.cpuTicks - (startTicks === stat.startTicks ? (cpuTicks ?? 0) : 0);
    return { stat, utilization: Math.min(1, Math.max(0, used / passed)) };
  });
}

/** By utilization, or by all the time they ever used while it is not known; those that used none are left out. */
export function topByCpu(usages: readonly Usage[], count: number): Usage[] {
  return largest(usages, count, ({ stat, utilization }) => utilization ?? stat.cpuTicks);
}

/** Those that hold no memory of their own, as those of the kernel, are left out. */
export function topByMemory(usages: readonly Usage[], count: number): Usage[] {
  return largest(usages, count, ({ stat }) => stat.residentPages);
}

/** The largest first, and of equal ones the oldest process id; those of size 0 are left out. */
function largest(usages: readonly Usage[], count: number, size: (usage: Usage) => number): Usage[] {
  return usages
    .filter((usage) => size(usage) > 0)
    .sort((a, b) => size(b) - size(a) || a.stat.pid - b.stat.pid)
    .slice(0, count);
}
