/** cpu-time: what a process and the programs that it waited for have taken of the processor. */
import { readFileSync } from 'node:fs';

/** Of this process, and of those it started and saw end. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000 + childrenCpuMs();
}

/** Of those it started and saw end, in hundredths of a second; 0 where /proc does not tell. */
export function childrenCpuMs(): number {
  if (process.platform !== 'linux') return 0;
  // The name in parentheses may hold blanks; cutime and cstime are fields 16 and 17 of proc_pid_stat(5).
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
