/**
 * child-processes: ends the programs that a thread has started, on Linux, which tells them by thread.
 *
 * A thread that waits for a program, as `execFileSync` does, ends only after it; and one that is ended leaves behind
 * what it started. Elsewhere than on Linux, and where /proc is not mounted, nothing is found and nothing ended.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The kernel's number of the thread that calls; null where the system does not tell. */
export function ownThreadId(): number | null {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').pop());
  } catch {
    return null;
  }
}

/**
 * Kills what a thread of this process has started, and what that has started in turn.
 *
 * @returns how many there were
 */
export function killProgramsOf(threadId: number): number {
  const pids = childrenOf(`/proc/self/task/${threadId}`).flatMap(withDescendants);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  return pids.length;
}

function withDescendants(pid: number): number[] {
  const threads = listOrNone(() => readdirSync(`/proc/${pid}/task`));
  const children = threads.flatMap((thread) => childrenOf(`/proc/${pid}/task/${thread}`));
  return [pid, ...children.flatMap(withDescendants)];
}

function childrenOf(thread: string): number[] {
  return listOrNone(() => readFileSync(`${thread}/children`, 'utf8').trim().split(' ').filter(Boolean)).map(
    Number,
  );
}

function listOrNone(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
