/**
 * load-within: gives what users wrote, a config or a plugin, a limited time to load.
 *
 * A module that awaits at its top what never comes would otherwise hold up the agent for ever, or end it
 * without a word when nothing else keeps the process alive.
 */
import { formatDuration } from '../plugins/duration.ts';
import { DeadlineError, withDeadline } from './deadline.ts';

/** Loading reads a few files; who takes this long waits for something. */
export const defaultLoadMs = 30_000;

/** The message completes a sentence that begins with what did not load. */
export class LoadTimeoutError extends Error {
  override name = 'LoadTimeoutError';
}

/**
 * What `load` returns, if it does in time; it goes on unheeded otherwise.
 *
 * @throws LoadTimeoutError when the time is up; the reason of `stop` once that is aborted; else what `load` throws
 */
export async function loadWithin<T>(
  ms: number,
  load: () => Promise<T>,
  stop = new AbortController().signal,
): Promise<T> {
  try {
    return await withDeadline(ms, stop, load);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const message = `did not load within ${formatDuration(ms)}: does it loop, or await what never comes?`;
    throw new LoadTimeoutError(message, { cause: error });
  }
}
