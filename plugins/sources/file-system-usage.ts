/**
 * file-system-usage: asks file systems how full they are, and waits for none of them too long.
 *
 * Even a local one can hang, on a disk that no longer answers, and an asked one that hangs keeps one of the few threads that
 * all files are read with. So one that has not answered is not asked again until it has.
 */
import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { parseMountInfo } from './mountinfo.ts';
import { readRecordedNodeOs } from './node-os.ts';

type Amount = 'bsize' | 'frsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree';

/** As `fs.statfs` has it. */
export type StatFs = Record<Amount, number | bigint>;

export type UsageSource = {
  /** Devices by path, as this very process sees them mounted, whose view may be narrower; null where none is. */
  ownDevices: ReadonlyMap<string, string> | null;
  /** Where it sees a mount point of the host. */
  pathOf(mountPoint: string): string;
  statfs(path: string): Promise<StatFs>;
};

/** Recorded hosts answer with what was recorded, by mount point. */
export async function usageSource(root: string): Promise<UsageSource> {
  const recorded = await readRecordedNodeOs(root);
  if (recorded === null) {
    return {
      ownDevices: await readOwnDevices(),
      pathOf: (mountPoint) => join(root, mountPoint),
      statfs: (path) => statfs(path, { bigint: true }),
    };
  }
  return {
    ownDevices: null,
    pathOf: (mountPoint) => mountPoint,
    async statfs(path) {
      const answer = recorded.statfs?.[path];
      if (!answer) throw new Error(`no statfs of ${path} was recorded`);
      return answer;
    },
  };
}

async function readOwnDevices(): Promise<ReadonlyMap<string, string> | null> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8').catch(() => null);
  if (mountinfo === null) return null;
  return new Map(parseMountInfo(mountinfo).map(({ mountPoint, device }) => [mountPoint, device]));
}

/** A healthy disk answers in microseconds. */
const patienceMs = 2_000;

/**
 * Null when it refuses, or has not answered in time.
 *
 * @param cache the plugin's own, where it is kept which have not answered yet
 */
export async function askUsage(
  source: UsageSource,
  path: string,
  cache: Map<string, unknown>,
  waitMs = patienceMs,
): Promise<StatFs | null> {
  const unanswered = (cache.get('unanswered') as Set<string> | undefined) ?? new Set();
  cache.set('unanswered', unanswered);
  if (unanswered.has(path)) return null;
  unanswered.add(path);
  const answer = source
    .statfs(path)
    .catch(() => null)
    .finally(() => unanswered.delete(path));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, waitMs, null);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** In bytes; null where the file system does not count them. */
export function toUsage(stat: StatFs) {
  const unit = Number(stat.frsize) || Number(stat.bsize);
  const [blocks, free, available] = [stat.blocks, stat.bfree, stat.bavail].map(Number);
  const [inodes, freeInodes] = [Number(stat.files), Number(stat.ffree)];
  const usedBytes = amount((Number(blocks) - Number(free)) * unit);
  const availableBytes = amount(Number(available) * unit);
  const inodesUsed = inodes > 0 ? amount(inodes - freeInodes) : null;
  return {
    totalBytes: amount(Number(blocks) * unit),
    usedBytes,
    availableBytes,
    utilization: usedBytes === null || availableBytes === null ? null : share(usedBytes, availableBytes),
    inodes: inodes > 0 ? amount(inodes) : null,
    inodesUsed,
    inodesUtilization: inodesUsed === null ? null : share(inodesUsed, freeInodes),
  };
}

function amount(value: number): number | null {
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function share(used: number, available: number): number | null {
  return used + available > 0 && available >= 0 ? used / (used + available) : null;
}
