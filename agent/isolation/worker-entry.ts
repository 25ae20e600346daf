/** worker-entry: the code that a plugin's thread runs, wherever the agent was started from. */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Of a file beside this one, which is TypeScript in a checkout and JavaScript in the package. */
export function startWorker(options: WorkerOptions): Worker {
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./plugin-worker.${extension}`, import.meta.url), options);
}
