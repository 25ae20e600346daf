/**
 * processes.portable: processes on macOS, Windows and the BSDs, where systeminformation asks ps or PowerShell each time.
 */
import os from 'node:os';
import type { Systeminformation } from 'systeminformation';
import type { CollectContext } from '../plugin.ts';
import type { ProcessesOptions } from './processes.linux.ts';

type Shown = 'pid' | 'parentPid' | 'name' | 'cpu' | 'memRss' | 'started' | 'state' | 'user';
type Listed = Pick<Systeminformation.ProcessesProcessData, Shown>;

export type RawPortableProcesses = {
  processes: Pick<Systeminformation.ProcessesData, 'all' | 'running' | 'blocked' | 'sleeping'> & {
    list: Listed[];
  };
  /** What the percentages of the list refer to: all processors on Windows and Linux, one elsewhere. */
  processors: number;
  top: number;
};

export async function collectProcessesElsewhere({ signal, options }: CollectContext<ProcessesOptions>) {
  signal.throwIfAborted();
  const { processes } = await import('systeminformation');
  const isOfAll = process.platform === 'win32' || process.platform === 'linux';
  return toPortableProcesses({
    processes: await processes(),
    processors: isOfAll ? 1 : os.availableParallelism(),
    top: options.top,
  });
}

/** Shapes systeminformation's answer into facts; an empty list means that it could not ask. */
export function toPortableProcesses({ processes, processors, top }: RawPortableProcesses) {
  const { list, all, running, blocked, sleeping } = processes;
  if (list.length === 0) return null;
  const largest = (size: 'cpu' | 'memRss') =>
    list
      .filter((listed) => listed[size] > 0)
      .sort((a, b) => b[size] - a[size] || a.pid - b.pid)
      .slice(0, top)
      .map((listed) => toShown(listed, processors));
  return {
    total: all,
    running,
    sleeping,
    blocked,
    zombies: list.filter(({ state }) => state === 'zombie').length,
    topByCpu: largest('cpu'),
    topByMemory: largest('memRss'),
  };
}

/**
 * Memory is in units of 1024 bytes, and the start in the local zone: `2026-05-01 10:00:00`. A name with blanks may have its
 * arguments behind it, which may hold secrets.
 */
function toShown({ pid, parentPid, name, cpu, memRss, started, user }: Listed, processors: number) {
  const startedAt = new Date(String(started).replace(' ', 'T'));
  return {
    pid,
    name: name.split(' -')[0]?.trim() || null,
    user: user || null,
    parentPid,
    utilization: Math.min(1, Math.max(0, cpu / 100 / processors)),
    residentBytes: Math.round(memRss * 1024),
    startedAt: Number.isNaN(startedAt.getTime()) ? null : startedAt.toISOString(),
  };
}
