/** count-processes: counts the processes that a thread starts, for commands and benchmarks that try a plugin. */
import child_process from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { syncBuiltinESMExports } from 'node:module';

/** Node announces processes that it does not wait for on a channel; these it waits for. */
const waitingStarts = ['spawnSync', 'execSync', 'execFileSync'] as const;

/** Returns what tells how many were started since, by the thread that calls it. Stays for the rest of the thread's life. */
export function countProcesses(): () => number {
  let processes = 0;
  subscribe('child_process', () => {
    processes += 1;
  });
  for (const name of waitingStarts) {
    const original = child_process[name] as (...args: unknown[]) => unknown;
    const counted = (...args: unknown[]) => {
      processes += 1;
      return original(...args);
    };
    Object.assign(child_process, { [name]: counted });
  }
  // What modules import by name is what the object has from now on.
  syncBuiltinESMExports();
  return () => processes;
}
