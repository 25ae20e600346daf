/**
 * small-memory: has the daemon do with less memory, at the price of speed that nobody waits for.
 *
 * It works for some milliseconds a minute. What V8 keeps ready for programs that work all the time is a third of what the agent
 * would take: room for new objects, of which it fills little, and compilers that optimise, of which it has no use.
 */
import { isSea } from 'node:sea';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** One heap of the C library for all threads, which gives back what is free instead of keeping it: 14 MiB less. */
const smallHeaps = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
};

/**
 * Starts this process anew, under the same id, with what the C library reads when a program starts; does nothing where that was done, on
 * other systems than Linux, and for a parent that talks to it by IPC, which would be cut off. What already is in the environment stays.
 *
 * To be called before anything else is.
 */
export function startAnewWithSmallHeaps(): void {
  const { env, execPath, execArgv, argv } = process;
  if (process.platform !== 'linux' || process.send || env.MALLOC_ARENA_MAX !== undefined) return;
  // What is not UTF-8 could not be handed on as it is.
  if (Object.values(env).some((value) => value?.includes('\ufffd'))) return;
  // The single executable is its own script, and its second argument as well as its first.
  const script = isSea() ? [] : [...execArgv, ...argv.slice(1, 2)];
  try {
    process.execve?.(execPath, [execPath, ...script, ...argv.slice(2)], { ...smallHeaps, ...env });
  } catch {
    // Where a sandbox forbids it the agent takes more memory, and works all the same.
  }
}

/** A mebibyte of new objects at a time, instead of up to sixteen. */
const smallNursery = ['--semi-space-growth-factor=1'];

/** Code runs as bytecode. Regular expressions are compiled all the same. */
const noCompilers = ['--no-opt', '--no-maglev', '--no-sparkplug'];

/** How much the heap may grow until it is looked for garbage, in percent of what is in use. */
const tightHeap = ['--heap-growing-percent=20'];

/**
 * Flags of V8 are of the whole process: where plugins of the user run in threads of their own, which may have much to compute, the
 * compilers stay.
 *
 * @param hasThreads whether there are such plugins
 */
export function takeLittleMemory(hasThreads: boolean): void {
  const flags = [...smallNursery, ...tightHeap, ...(hasThreads ? [] : noCompilers)];
  for (const flag of flags) setFlagsFromString(flag);
}

/** A collection takes some 40 ms of processor, as much as two reports. */
const tidyEveryReports = 10;
/** By then a report has been delivered. */
const tidyAfterMs = 3_000;

/**
 * Returns what to call once a report is collected: gives what start and first report left behind back to the system soon after, and
 * again with each tenth report.
 */
export function createTidier(): () => void {
  let reports = 0;
  let collectGarbage: ((options: object) => void) | null = null;

  function tidy(): void {
    if (collectGarbage === null) {
      setFlagsFromString('--expose-gc');
      collectGarbage = runInNewContext('gc') as (options: object) => void;
      setFlagsFromString('--no-expose-gc');
    }
    // The kind that V8 does when it is out of memory: it leaves nothing that is not in use.
    collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }

  return () => {
    if (reports % tidyEveryReports === 0) setTimeout(tidy, tidyAfterMs).unref();
    reports += 1;
  };
}
