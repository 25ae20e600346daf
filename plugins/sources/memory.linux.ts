/**
 * memory.linux: gathers and shapes what Linux tells about its memory.
 */

import type { CollectContext } from '../plugin.ts';
import { linuxFiles } from './linux-files.ts';
import { parseMemInfo, parsePressure, parseSwaps } from './meminfo.ts';
import { wholeNumber } from './whole-number.ts';

/** Texts of the files, null for those that are not there. */
export type RawMemory = {
  meminfo: string;
  swaps: string | null;
  pressure: string | null;
  vmstat: string | null;
  /** Of the control group that is mounted as the root one, which has a limit only inside a container: bytes, or `max`. */
  limit: string | null;
  limitUsed: string | null;
};

export async function collectMemoryOnLinux({ root, signal }: CollectContext) {
  const files = linuxFiles(root, signal);
  const [meminfo, swaps, pressure, vmstat, limit, limitUsed] = await Promise.all([
    files.read('/proc/meminfo'),
    files.read('/proc/swaps'),
    files.read('/proc/pressure/memory'),
    files.read('/proc/vmstat'),
    files.read('/sys/fs/cgroup/memory.max'),
    files.read('/sys/fs/cgroup/memory.current'),
  ]);
  if (meminfo === null) return null;
  if (limit !== null) return toMemory({ meminfo, swaps, pressure, vmstat, limit, limitUsed });
  // Version 1 of control groups.
  const [limitOld, limitUsedOld] = await Promise.all([
    files.read('/sys/fs/cgroup/memory/memory.limit_in_bytes'),
    files.read('/sys/fs/cgroup/memory/memory.usage_in_bytes'),
  ]);
  return toMemory({ meminfo, swaps, pressure, vmstat, limit: limitOld, limitUsed: limitUsedOld });
}

/** Shapes raw texts into facts; pure. */
export function toMemory(raw: RawMemory) {
  const info = parseMemInfo(raw.meminfo);
  const totalBytes = info.bytes('MemTotal');
  const availableBytes = info.bytes('MemAvailable');
  const usedBytes = difference(totalBytes, availableBytes);
  const limitBytes = toLimit(raw.limit, totalBytes);
  const [pressureSome10, pressureSome60, pressureSome300] = parsePressure(raw.pressure, 'some');
  const [pressureFull10, pressureFull60, pressureFull300] = parsePressure(raw.pressure, 'full');
  return {
    totalBytes,
    limitBytes,
    swapTotalBytes: info.bytes('SwapTotal'),
    swapDevices: raw.swaps === null ? null : parseSwaps(raw.swaps),
    hugePageSizeBytes: info.bytes('Hugepagesize'),
    hugePages: info.count('HugePages_Total'),
    freeBytes: info.bytes('MemFree'),
    availableBytes,
    usedBytes,
    utilization: totalBytes && usedBytes !== null ? usedBytes / totalBytes : null,
    buffersBytes: info.bytes('Buffers'),
    cachedBytes: info.bytes('Cached'),
    sharedBytes: info.bytes('Shmem'),
    slabBytes: info.bytes('Slab'),
    dirtyBytes: info.bytes('Dirty'),
    committedBytes: info.bytes('Committed_AS'),
    hugePagesFree: info.count('HugePages_Free'),
    limitUsedBytes: limitBytes === null ? null : wholeNumber(raw.limitUsed),
    swapUsedBytes: difference(info.bytes('SwapTotal'), info.bytes('SwapFree')),
    outOfMemoryKills: wholeNumber(/^oom_kill (\d+)$/m.exec(raw.vmstat ?? '')?.[1]),
    pressureSome10,
    pressureSome60,
    pressureSome300,
    pressureFull10,
    pressureFull60,
    pressureFull300,
  };
}

/** Null when there is none: `max` in version 2, a number that no machine reaches in version 1. */
function toLimit(limit: string | null, totalBytes: number | null): number | null {
  const bytes = wholeNumber(limit);
  return bytes !== null && totalBytes !== null && bytes < totalBytes ? bytes : null;
}

/** Null when either is unknown, or they contradict each other. */
function difference(whole: number | null, part: number | null): number | null {
  return whole === null || part === null || part > whole ? null : whole - part;
}
