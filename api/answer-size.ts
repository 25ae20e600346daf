/**
 * answer-size: bounds what one answer holds, while it is put together.
 *
 * What a query may cost is told before it runs (see query-cost.ts), when nobody knows how long the lists inside facts are, or
 * how much JSON a plugin told. A thousand rows may all show the same large facts: kept once, and written a thousand times.
 */
import { inputError } from './schema/input-error.ts';

/** Some tens of megabytes as text. */
export const maxElements = 250_000;
export const maxJsonLength = 32 * 1024 * 1024;

/** Each throws GraphQLError BAD_USER_INPUT once the answer has become too large. */
export type AnswerSize = {
  /** Elements of a list inside facts. */
  addElements(count: number): void;
  /** A value that is written as it was sent; null costs nothing. */
  addJson(value: unknown): void;
};

export function makeAnswerSize(): AnswerSize {
  const lengths = new WeakMap<object, number>();
  let elements = 0;
  let length = 0;

  function lengthOf(value: object): number {
    const known = lengths.get(value) ?? JSON.stringify(value).length;
    lengths.set(value, known);
    return known;
  }

  return {
    addElements(count) {
      elements += count;
      if (elements <= maxElements) return;
      throw tooLarge(`lists inside facts of ${maxElements} elements`);
    },
    addJson(value) {
      if (typeof value !== 'object' || value === null) return;
      length += lengthOf(value);
      if (length > maxJsonLength) throw tooLarge(`${maxJsonLength / 2 ** 20} MiB of facts as they were sent`);
    },
  };
}

function tooLarge(limit: string): Error {
  return inputError([], `the answer would hold more than ${limit}: take smaller pages, or use /export`);
}
