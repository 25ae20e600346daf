/** stop-signal: how a process is asked to stop. */

const sameSignalMs = 1_000;

/** Aborted by the first signal that asks the process to stop. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  let firstAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!stopping.signal.aborted) firstAt = performance.now();
      // Whoever asks again does not want to wait; but a terminal and a parent process may both pass one on.
      else if (performance.now() - firstAt > sameSignalMs) process.exit(1);
      stopping.abort(signal);
    });
  }
  return stopping.signal;
}
