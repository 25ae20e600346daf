/**
 * cpu: processor identity, topology and load.
 *
 * Source: /proc/cpuinfo and /sys/devices/system/cpu on Linux, systeminformation elsewhere.
 * Needs no privileges; starts no process on Linux. What the processor is gets asked once and again
 * only when processors come or go.
 */

import { boolean, count, definePlugin, hertz, number, ratio, text } from './plugin.ts';
import { collectCpuOnLinux } from './sources/cpu.linux.ts';
import { collectCpuElsewhere } from './sources/cpu.portable.ts';

export default definePlugin({
  name: 'cpu',
  version: 1,
  description: 'Processor identity, topology and load',
  facts: {
    model: text('Product name of the first processor, as it gives it; null where the platform does not tell'),
    vendor: text('Maker, as the processor or the firmware gives it; null where the platform does not tell'),
    architecture: text('Instruction set, as the kernel names it: x86_64, aarch64'),
    sockets: count('Processor packages in use; null where the platform does not tell'),
    cores: count('Physical cores in use; null where the platform does not tell'),
    threads: count('Logical processors that the system can use'),
    baseFrequency: hertz('Guaranteed clock of the first processor; null where only a varying one is told'),
    maxFrequency: hertz('Highest clock that any processor can reach; null where the platform does not tell'),
    microcode: text('Microcode revision of the first processor; null where the platform does not tell'),
    virtualization: text('Feature that lets it run virtual machines: vmx, svm, sie; null when it shows none'),
    hypervisor: boolean('Whether it is itself a virtual one; null where the platform does not tell'),
  },
  readings: {
    utilization: ratio('Busy share of all threads since the previous report, 0..1; null in the first one'),
    load1: number('Mean number of runnable tasks over 1 minute; null on Windows'),
    load5: number('Mean number of runnable tasks over 5 minutes; null on Windows'),
    load15: number('Mean number of runnable tasks over 15 minutes; null on Windows'),
  },
  source: '/proc/cpuinfo, /proc/stat, /proc/loadavg, /sys/devices/system/cpu; systeminformation elsewhere',
  async collect(context) {
    return process.platform === 'linux' ? collectCpuOnLinux(context) : collectCpuElsewhere(context);
  },
});
