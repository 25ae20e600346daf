/** held: what this process holds of the system, to see whether that grows; Linux. */
import { readdirSync, readFileSync } from 'node:fs';

export type Held = {
  residentMiB: number;
  threads: number;
  descriptors: number;
  /** Timers, ports and the like that Node knows of. */
  handles: number;
};

export function heldNow(): Held {
  return {
    residentMiB: Math.round(statusField('VmRSS') / 1024),
    threads: statusField('Threads'),
    descriptors: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().length,
  };
}

function statusField(name: string): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}
