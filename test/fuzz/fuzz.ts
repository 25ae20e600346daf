/**
 * fuzz: a property that must hold for whatever anybody sends.
 *
 * With the tests each is tried with a few hundred cases that are always the same; `npm run fuzz` tries 100,000 new
 * ones and says with which seed. `SEED=7 FUZZ_CASES=100000` does those again.
 */
import fc, { type Arbitrary } from 'fast-check';
import { afterAll, test } from 'vitest';
import { within } from '../../api/within.ts';

/** Of all properties together. */
const allCases = Number(process.env.FUZZ_CASES ?? 4_000);
const seed = Number(process.env.SEED ?? 20_261_125);
/** What has not ended by then hangs. */
const patienceMs = 30_000;

const done: string[] = [];

/**
 * @param share of all cases
 * @param hold throws, or rejects, where the property does not hold
 */
export function fuzz<T>(
  name: string,
  share: number,
  given: Arbitrary<T>,
  hold: (value: T) => Promise<void> | void,
): void {
  test(name, async () => {
    const numRuns = Math.ceil(allCases * share);
    const property = fc.asyncProperty(given, (value) =>
      within(patienceMs, name, Promise.resolve(hold(value))),
    );
    await fc.assert(property, { numRuns, seed });
    done.push(`${numRuns} cases (seed ${seed}): ${name}`);
  });
}

afterAll(() => {
  if (process.env.FUZZ_CASES) process.stdout.write(`${done.join('\n')}\n`);
});

/** Says what was wrong, in full: the value that fast-check shows beside it is the input. */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
