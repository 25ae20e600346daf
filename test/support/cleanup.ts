/**
 * cleanup: ends what a test file started once its tests are done, from wherever it was started.
 *
 * vitest's own hooks register only at the top of a file or inside a test; helpers are called from
 * anywhere, hooks included, and there a hook would be dropped without a word.
 */
import { afterAll } from 'vitest';

const jobs: (() => unknown)[] = [];

afterAll(async () => {
  // The last first, as later things use earlier ones.
  for (const job of jobs.splice(0).reverse()) await job();
});

export function whenFileIsDone(job: () => unknown): void {
  jobs.push(job);
}
