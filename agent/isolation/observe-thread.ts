/**
 * observe-thread: counts the processes that a thread starts, and notes what files it is refused.
 *
 * Puts itself between a thread's code and Node's functions for the rest of its life: for a command that tries a plugin, never for
 * the daemon.
 */
import fs from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { countProcesses } from './count-processes.ts';

export type Observed = {
  /** How many were started. */
  processes: number;
  /** Paths that may not be read by this account, each once. */
  denied: string[];
};

export type ThreadObserver = {
  /** What was seen since it was last asked. */
  take(): Observed;
};

const reads = ['access', 'lstat', 'open', 'opendir', 'readFile', 'readdir', 'readlink', 'stat'] as const;
const syncReads = [
  'lstatSync',
  'openSync',
  'readFileSync',
  'readdirSync',
  'readlinkSync',
  'statSync',
] as const;

type Callable = (...args: unknown[]) => unknown;

/** Of the thread that calls it. */
export function observeThread(): ThreadObserver {
  const processes = countProcesses();
  let processesBefore = 0;
  const denied = new Set<string>();

  function note(path: unknown, error: unknown): void {
    const { code = '' } = (error ?? {}) as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') denied.add(String(path));
  }

  function noteSync(original: Callable): Callable {
    return (...args) => {
      try {
        return original(...args);
      } catch (error) {
        note(args[0], error);
        throw error;
      }
    };
  }

  replace(files, reads, (original) => async (...args) => {
    try {
      return await original(...args);
    } catch (error) {
      note(args[0], error);
      throw error;
    }
  });
  replace(fs, syncReads, noteSync);
  // What modules import by name is what the object has from now on.
  syncBuiltinESMExports();

  return {
    take() {
      const seen = { processes: processes() - processesBefore, denied: [...denied] };
      processesBefore = processes();
      denied.clear();
      return seen;
    },
  };
}

function replace<const Name extends string>(
  module: Record<Name, unknown>,
  names: readonly Name[],
  wrap: (original: Callable) => Callable,
): void {
  for (const name of names) module[name] = wrap(module[name] as Callable);
}
