/** held: what this process holds of the system, to see whether that grows; Linux. */
import { readdirSync, readFileSync } from 'node:fs';

export type Held = {
  residentMiB: number;
  /** Of values and buffers that are in use; garbage counts as well unless Node runs with `--expose-gc`. */
  usedMiB: number;
  threads: number;
  descriptors: number;
  /** Timers, ports and the like that Node knows of. */
  handles: number;
};

export function heldNow(): Held {
  return {
    usedMiB: usedNow(),
    residentMiB: Math.round(statusField('VmRSS') / 1024),
    threads: statusField('Threads'),
    descriptors: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().length,
  };
}

function usedNow(): number {
  // Twice, as what the first one finalises only the second one frees.
  for (let time = 0; time < 2; time += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round(((heapUsed + external) / 2 ** 20) * 10) / 10;
}

function statusField(name: string): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}
