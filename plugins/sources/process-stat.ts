/**
 * process-stat: reads /proc/[pid]/stat of every process, which may be thousands.
 *
 * Read without a thread pool: the kernel answers from memory and never waits for a process (as it may for a command
 * line), and a turn through the pool costs several times what the read does. Between batches others get their turn.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { wholeNumber } from './whole-number.ts';

/** Times are in ticks of the kernel, hundredths of a second; memory in pages. */
export type ProcessStat = {
  pid: number;
  name: string;
  /** One letter, as ps shows it: R, S, D, Z, T, t, I, X. */
  state: string;
  parentPid: number;
  cpuTicks: number;
  threads: number;
  startTicks: number;
  residentPages: number;
};

/** A few milliseconds' worth. */
const batchSize = 256;

/** The line is below 400 bytes even with the largest numbers. */
const buffer = Buffer.allocUnsafeSlow(4096);

/** In no order; a process that ends meanwhile is left out. Null where /proc shows no process at all. */
export async function readProcessStats(root: string, signal: AbortSignal): Promise<ProcessStat[] | null> {
  const stats: ProcessStat[] = [];
  const pids = listPids(root);
  for (const [at, pid] of pids.entries()) {
    if (at % batchSize === 0) {
      if (at > 0) await setImmediate();
      signal.throwIfAborted();
    }
    const stat = parseProcessStat(readStat(join(root, 'proc', pid, 'stat')) ?? '');
    if (stat) stats.push(stat);
  }
  return stats.length > 0 ? stats : null;
}

function listPids(root: string): string[] {
  try {
    return readdirSync(join(root, 'proc')).filter((name) => /^\d{1,10}$/.test(name));
  } catch {
    return [];
  }
}

function readStat(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return buffer.toString('utf8', 0, readSync(file, buffer));
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

/**
 * `123 (some name) S 1 …`, fields as in proc_pid_stat(5). The name may hold blanks and parentheses, so that it ends
 * at the last one. Null for a line that is not whole.
 */
export function parseProcessStat(line: string): ProcessStat | null {
  const from = line.indexOf('(');
  const to = line.lastIndexOf(')');
  const pid = wholeNumber(line.slice(0, Math.max(0, from)).trim());
  const fields = line
    .slice(to + 2)
    .trimEnd()
    .split(' ');
  const [state = '', parent] = fields;
  const [parentPid, user, system, threads, startTicks, residentPages] = [
    ...[parent, fields[11], fields[12], fields[17], fields[19], fields[21]].map(wholeNumber),
  ];
  const isWhole = pid !== null && from > 0 && to > from && /^[A-Za-z]$/.test(state);
  if (!isWhole || parentPid == null || user == null || system == null) return null;
  if (threads == null || startTicks == null || residentPages == null) return null;
  const name = line.slice(from + 1, to).replaceAll('\0', '');
  return { pid, name, state, parentPid, cpuTicks: user + system, threads, startTicks, residentPages };
}
