/**
 * memory: how much memory and swap there is, what is in use, and how hard it is to get.
 *
 * Source: /proc/meminfo, /proc/swaps, /proc/vmstat, /proc/pressure and the control group on Linux,
 * systeminformation elsewhere. Needs no privileges; starts no process on Linux.
 */

import { bytes, count, definePlugin, list, number, ratio, text } from './plugin.ts';
import { collectMemoryOnLinux } from './sources/memory.linux.ts';
import { collectMemoryElsewhere } from './sources/memory.portable.ts';

export default definePlugin({
  name: 'memory',
  version: 1,
  description: 'Memory and swap: how much there is, what is in use, and how hard it is to get',
  facts: {
    totalBytes: bytes('Memory that the system can use: what is built in, less what firmware and kernel keep'),
    limitBytes: bytes('Most that the container may use, by its control group; null where nothing limits it'),
    swapTotalBytes: bytes('Swap space; 0 when there is none'),
    swapDevices: list(
      'Where swap space lies, in the order it was added; null where the platform does not tell',
      {
        device: text('File or partition', { nullable: false }),
        type: text('partition or file'),
        totalBytes: bytes('Its size'),
        priority: number('The higher is used first'),
      },
      { key: 'device' },
    ),
    hugePageSizeBytes: bytes('Size of a huge page, unless asked for another; null where there are none'),
    hugePages: count('Huge pages of that size that are set aside'),
  },
  readings: {
    freeBytes: bytes('Memory that nothing uses, not even as a cache'),
    availableBytes: bytes('Memory that programs can get without swapping; null before Linux 3.14'),
    usedBytes: bytes('Memory that programs cannot get: all but the available'),
    utilization: ratio('Share of all memory that is used in this sense, 0..1'),
    buffersBytes: bytes('Buffers for block devices; null where the platform does not tell'),
    cachedBytes: bytes('Cached content of files, shared memory included'),
    sharedBytes: bytes('Shared memory and tmpfs; null where the platform does not tell'),
    slabBytes: bytes('Structures of the kernel; null where the platform does not tell'),
    dirtyBytes: bytes('What waits to be written to disk; null where the platform does not tell'),
    committedBytes: bytes('What programs have been promised; null where the platform does not tell'),
    hugePagesFree: count('Huge pages set aside that are not in use'),
    limitUsedBytes: bytes('What the container uses of its limit, caches included; null without a limit'),
    swapUsedBytes: bytes('Swap space in use'),
    outOfMemoryKills: count('Processes the kernel has killed since boot because memory ran out'),
    pressureSome10: ratio('Share of the last 10 seconds in which a task waited for memory, 0..1'),
    pressureSome60: ratio('The same over 60 seconds; null where the kernel does not measure it'),
    pressureSome300: ratio('The same over 300 seconds'),
    pressureFull10: ratio('Share of the last 10 seconds in which all tasks waited for memory, 0..1'),
    pressureFull60: ratio('The same over 60 seconds'),
    pressureFull300: ratio('The same over 300 seconds'),
  },
  source:
    '/proc/meminfo, /proc/swaps, /proc/vmstat, /proc/pressure/memory, /sys/fs/cgroup; systeminformation elsewhere',
  async collect(context) {
    return process.platform === 'linux' ? collectMemoryOnLinux(context) : collectMemoryElsewhere(context);
  },
});
