/**
 * deadline: gives work a limited time, and the agent's stop a way into it.
 *
 * Not `AbortSignal.any`: in Node 26 each one made from a signal that lives as long as the agent holds
 * about 1 kB for as long.
 */

/** What work that took too long is ended with. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
}

/**
 * What `work` returns, if it does in time. Its signal is aborted otherwise, and nobody waits for it to heed.
 *
 * @throws DeadlineError when the time is up; the reason of `stop` once that is aborted; else what `work` throws
 */
export async function withDeadline<T>(
  ms: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  stop.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  const onStop = () => controller.abort(stop.reason);
  const timer = setTimeout(() => controller.abort(new DeadlineError('the time is up')), ms);
  stop.addEventListener('abort', onStop);
  const cutShort = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    return await Promise.race([work(signal), cutShort]);
  } catch (error) {
    // Work that heeds its signal throws whatever its last call made of that.
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', onStop);
  }
}
