/** query-model-suite: one made-up history, its model, and APIs of both dialects that hold it, to be asked the same. */
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect } from 'vitest';
import type { TestApi } from './api.ts';
import { describeIf } from './needs.ts';
import { seededRandom } from './noise.ts';
import { askAll, deliverAll, dialects, openModelled, type Question, stopClock } from './query-model-api.ts';
import { historyEnd, makeHistory, makePicker, type Picker } from './query-model-history.ts';
import { makeWorld } from './query-model-world.ts';

/** Another one, `SEED=7 npm test`, asks other questions about another history. */
const seed = Number(process.env.SEED ?? 20_260_501);

export const hosts = 12;
const copies = makeHistory(makePicker(seededRandom(seed)), hosts, 160);
export const world = makeWorld(copies, historyEnd);

export type Case<Given> = {
  given: Given;
  question: Question;
  /** What the model answers. */
  expected: unknown;
  /** What of the API's answer is compared. @default all of it */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the question's, which tests write as text
  read?: (answer: any) => unknown;
};

/** @param define the tests of one dialect, which ask it through `check` */
export function describeModelled(define: (check: Check) => void): void {
  stopClock();
  const kinds = dialects.flatMap((each) => [
    { ...each, name: each.dialect, longListLength: undefined, share: 1 },
    { ...each, name: `${each.dialect}, elements of lists shared`, longListLength: 2, share: 1 / 3 },
  ]);
  for (const { dialect, can, needed, name, longListLength, share } of kinds) {
    describeIf(can, needed, name, () => {
      let api: TestApi;
      beforeAll(async () => {
        api = await openModelled(dialect, longListLength);
        await deliverAll(api, copies, makePicker(seededRandom(seed + 1)));
      });
      define((count, make) => check(api, Math.ceil(count * share), make));
    });
  }
}

/** Asks so many random questions and holds each answer against the model's. @returns what the model answers */
export type Check = <Given>(count: number, make: (picker: Picker) => Case<Given>) => Promise<unknown[]>;

async function check<Given>(api: TestApi, count: number, make: (picker: Picker) => Case<Given>) {
  const picker = makePicker(seededRandom(seed + 2));
  const cases = Array.from({ length: count }, () => make(picker));
  const answers = await askAll(
    api,
    cases.map(({ question }) => question),
  );
  const differing = cases.flatMap(({ given, expected, read = (all) => all }, number) => {
    const answer = read(answers[number]);
    return isDeepStrictEqual(answer, expected) ? [] : [{ given, answer, expected }];
  });
  // The first few tell enough.
  expect(differing.slice(0, 3)).toEqual([]);
  return cases.map(({ expected }) => expected);
}

/** Neither everything nor nothing: filters do tell rows apart. @param shares of all rows, those that pass */
export function expectVariety(shares: readonly number[]): void {
  const telling = shares.filter((share) => share > 0 && share < 1).length;
  expect(telling).toBeGreaterThan(shares.length * 0.3);
}
