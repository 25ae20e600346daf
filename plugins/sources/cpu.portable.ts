/**
 * cpu.portable: processors on macOS, Windows and the BSDs.
 *
 * systeminformation starts processes to learn what the processor is, so it is asked once; load and
 * utilization come from node:os, which starts none.
 */
import os from 'node:os';
import type { Systeminformation } from 'systeminformation';
import type { CollectContext } from '../plugin.ts';
import { type CpuTime, utilizationSince } from './cpu-time.ts';
import { once } from './once.ts';

type Identity = 'brand' | 'vendor' | 'manufacturer' | 'processors' | 'physicalCores' | 'cores';

export type RawPortableCpu = {
  cpu: Pick<Systeminformation.CpuData, Identity | 'speed' | 'speedMax' | 'flags'>;
  machine: string;
};

export async function collectCpuElsewhere({ cache, signal }: CollectContext) {
  signal.throwIfAborted();
  const identity = await once(cache, 'identity', async () => {
    const { cpu } = await import('systeminformation');
    return toPortableCpu({ cpu: await cpu(), machine: os.machine() });
  });
  const cpus = os.cpus();
  const [load1 = null, load5 = null, load15 = null] = process.platform === 'win32' ? [] : os.loadavg();
  return {
    ...identity,
    threads: cpus.length || identity.threads,
    utilization: utilizationSince(cache, sumCpuTime(cpus)),
    load1,
    load5,
    load15,
  };
}

/** Shapes systeminformation's answer into facts; its empty text and 0 mean unknown. */
export function toPortableCpu({ cpu, machine }: RawPortableCpu) {
  const flags = cpu.flags.toLowerCase().split(' ');
  return {
    model: cpu.brand || null,
    vendor: cpu.vendor || cpu.manufacturer || null,
    architecture: machine || null,
    sockets: cpu.processors || null,
    cores: cpu.physicalCores || null,
    threads: cpu.cores || null,
    baseFrequency: gigahertz(cpu.speed),
    maxFrequency: gigahertz(cpu.speedMax),
    microcode: null,
    virtualization: ['vmx', 'svm'].find((flag) => flags.includes(flag)) ?? null,
    hypervisor: null,
  };
}

function gigahertz(value: number | null): number | null {
  return value ? Math.round(value * 1e9) : null;
}

function sumCpuTime(cpus: os.CpuInfo[]): CpuTime | null {
  if (cpus.length === 0) return null;
  const sum = { total: 0, idle: 0 };
  for (const { times } of cpus) {
    sum.total += times.user + times.nice + times.sys + times.idle + times.irq;
    sum.idle += times.idle;
  }
  return sum;
}
