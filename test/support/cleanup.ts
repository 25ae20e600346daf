/**
 * cleanup: ends what a test file started once its tests are done, from wherever it was started.
 *
 * vitest's own hooks register only at the top of a file or inside a test; helpers are called from
 * anywhere, hooks included, and there a hook would be dropped without a word. The helpers serve
 * benchmarks too: without vitest, whoever runs them calls `endAll` itself.
 */
const jobs: (() => unknown)[] = [];

if (process.env.VITEST) {
  const { afterAll } = await import('vitest');
  afterAll(endAll);
}

export function whenFileIsDone(job: () => unknown): void {
  jobs.push(job);
}

/** Ends all that was started until now. */
export async function endAll(): Promise<void> {
  // The last first, as later things use earlier ones.
  for (const job of jobs.splice(0).reverse()) await job();
}
