/** worker-entry: in place of agent/isolation/worker-entry.ts in a bundle, where all code is in one file. */
import { getAsset, isSea } from 'node:sea';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Of the bundle itself; in an executable, which is no file that a thread could run, of what starts it there too. */
export function startWorker(options: WorkerOptions): Worker {
  if (!isSea()) return new Worker(new URL(import.meta.url), options);
  return new Worker(getAsset('executable.cjs', 'utf8'), { ...options, eval: true });
}
