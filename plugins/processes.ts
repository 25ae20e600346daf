/**
 * processes: how many there are, in which state, and which use most of the processors and the memory.
 *
 * Source: /proc/[pid]/stat on Linux, and /proc/[pid]/status of those shown; systeminformation elsewhere.
 * Needs no privileges, though a /proc mounted with hidepid shows the agent only its own processes; starts
 * no process on Linux. Command lines are never read: they may hold secrets.
 */

import { bytes, count, definePlugin, duration, instant, list, ratio, text, z } from './plugin.ts';
import { collectProcessesOnLinux } from './sources/processes.linux.ts';
import { collectProcessesElsewhere } from './sources/processes.portable.ts';

const shown = {
  pid: count('Process id', { nullable: false }),
  name: text('Name of its program, on Linux cut to 15 bytes; null for the few without one'),
  user: text('Account it runs as; null when its user id has no local one'),
  parentPid: count('Process id of its parent'),
  utilization: ratio(
    'Share of all processors it used since the previous report, null in the first one; lately where ps tells it',
  ),
  cpuSeconds: duration('Processor time it has used since it began; null where the platform does not tell'),
  residentBytes: bytes('Memory it holds, shared memory included'),
  threads: count('Its threads; null where the platform does not tell'),
  startedAt: instant('When it began'),
} as const;

export default definePlugin({
  name: 'processes',
  version: 1,
  description: 'Number of processes by state, and the largest users of processors and memory',
  facts: {
    maxPid: count(
      'Highest process id before they start again, less one; null where the platform does not tell',
    ),
    maxThreads: count('Most threads that the kernel makes; null where the platform does not tell'),
  },
  readings: {
    total: count('Processes, those of the kernel included'),
    running: count('Those that run or could run'),
    sleeping: count('Those that wait for something, and idle ones of the kernel'),
    blocked: count('Those that wait for a device and cannot be interrupted'),
    stopped: count('Those stopped by a signal or a debugger; null where the platform does not tell'),
    zombies: count('Those that ended and whose parent has not taken notice'),
    threads: count('Threads of all processes; null where the platform does not tell'),
    forks: count('Processes and threads made since boot; null where the platform does not tell'),
    topByCpu: list(
      'Those that used the processors most since the previous report, in the first one since they began',
      shown,
    ),
    topByMemory: list('Those that hold the most memory', shown),
  },
  source: '/proc/[pid]/stat, /proc/[pid]/status, /proc/stat, /proc/sys/kernel; systeminformation elsewhere',
  options: z.strictObject({
    top: z
      .int()
      .min(0)
      .max(100)
      .default(10)
      .describe('How many are shown by processor time, and as many by memory'),
  }),
  async collect(context) {
    return process.platform === 'linux'
      ? collectProcessesOnLinux(context)
      : collectProcessesElsewhere(context);
  },
});
