/** stop-signal: how a process is asked to stop. */

/** Aborted by the first signal that asks the process to stop. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort(signal));
  return stopping.signal;
}
