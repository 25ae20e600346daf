/**
 * small-memory: has the daemon do with less memory, at the price of speed that nobody waits for.
 *
 * It works for some milliseconds a minute. What V8 keeps ready for programs that work all the time is a third of what the agent
 * would take: room for new objects, of which it fills little, and compilers that optimise, of which it has no use.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

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
