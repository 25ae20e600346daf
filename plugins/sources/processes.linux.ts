/**
 * processes.linux: counts processes, and shows the few that use the most.
 */

import type { CollectContext } from '../plugin.ts';
import { parseBootSeconds } from './boot-time.ts';
import { parseCpuTime } from './cpu-time.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { parsePasswd } from './passwd.ts';
import { topByCpu, topByMemory, type Usage, usageSince } from './process-ranking.ts';
import { type ProcessStat, readProcessStats } from './process-stat.ts';
import { wholeBytes, wholeNumber } from './whole-number.ts';

export type ProcessesOptions = { top: number };

/** USER_HZ, which every architecture that Node.js runs on has in common. */
const ticksPerSecond = 100;

export async function collectProcessesOnLinux(context: CollectContext<ProcessesOptions>) {
  const { root, signal, cache, options } = context;
  const files = linuxFiles(root, signal);
  const stats = await readProcessStats(root, signal);
  if (stats === null) return null;
  const [stat, maxPid, maxThreads] = await Promise.all([
    files.read('/proc/stat'),
    files.read('/proc/sys/kernel/pid_max'),
    files.read('/proc/sys/kernel/threads-max'),
  ]);
  const usages = usageSince(cache, stats, parseCpuTime(stat)?.total ?? null);
  const [byCpu, byMemory] = [topByCpu(usages, options.top), topByMemory(usages, options.top)];
  const shown = await describe(files, [...new Set([...byCpu, ...byMemory])], parseBootSeconds(stat));
  return {
    maxPid: wholeNumber(maxPid),
    maxThreads: wholeNumber(maxThreads),
    ...countStates(stats),
    forks: wholeNumber(/^processes (\d+)$/m.exec(stat ?? '')?.[1]),
    topByCpu: byCpu.flatMap((usage) => shown.get(usage) ?? []),
    topByMemory: byMemory.flatMap((usage) => shown.get(usage) ?? []),
  };
}

export function countStates(stats: readonly ProcessStat[]) {
  const count = (states: string) => stats.filter(({ state }) => states.includes(state)).length;
  return {
    total: stats.length,
    running: count('R'),
    sleeping: count('SI'),
    blocked: count('D'),
    stopped: count('Tt'),
    zombies: count('Z'),
    threads: stats.reduce((sum, { threads }) => sum + threads, 0),
  };
}

type Shown = ReturnType<typeof toProcess>;

async function describe(
  files: LinuxFiles,
  usages: readonly Usage[],
  bootSeconds: number | null,
): Promise<Map<Usage, Shown>> {
  const [passwd, ...statuses] = await Promise.all([
    files.read('/etc/passwd'),
    ...usages.map(({ stat }) => files.read(`/proc/${stat.pid}/status`)),
  ]);
  const names = new Map<string, string>();
  // Of several names for one user id the first is the one the system shows.
  for (const { uid, name } of parsePasswd(passwd ?? '').reverse()) names.set(String(uid), name);
  return new Map(
    usages.map((usage, at) => [usage, toProcess(usage, statuses[at] ?? '', names, bootSeconds)] as const),
  );
}

/** What cannot be told of a process that ended since is null. */
export function toProcess(
  { stat, utilization }: Usage,
  status: string,
  userNames: ReadonlyMap<string, string>,
  bootSeconds: number | null,
) {
  const startedAt = bootSeconds === null ? null : (bootSeconds + stat.startTicks / ticksPerSecond) * 1000;
  return {
    pid: stat.pid,
    name: stat.name || null,
    user: userNames.get(/^Uid:\t\d+\t(\d+)\t/m.exec(status)?.[1] ?? '') ?? null,
    parentPid: stat.parentPid,
    utilization,
    cpuSeconds: stat.cpuTicks / ticksPerSecond,
    residentBytes: wholeBytes(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1], 1024),
    threads: stat.threads,
    startedAt: toInstant(startedAt),
  };
}

/** Null for what no date can hold, as damaged files may say. */
function toInstant(milliseconds: number | null): string | null {
  const isDate = milliseconds !== null && milliseconds > 0 && milliseconds < Date.UTC(9999, 0);
  return isDate ? new Date(milliseconds).toISOString() : null;
}
