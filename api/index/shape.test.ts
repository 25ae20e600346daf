import { expect, test } from 'vitest';
import { seededRandom } from '../../test/support/noise.ts';
import { type Json, joinShape, splitShape } from './shape.ts';

function randomJson(random: () => number, depth: number): Json {
  const kind = Math.floor(random() * (depth > 3 ? 5 : 7));
  const few = Math.floor(random() * 4);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random() < 0.5;
    case 2:
      return Math.round(random() * 1e6) / 100;
    case 3:
      return ['', 'null', '"', '\\', 'é\u2028', '__proto__'][few] ?? 'x';
    case 4:
      return -0.5;
    case 5:
      return Array.from({ length: few }, () => randomJson(random, depth + 1));
    default:
      return JSON.parse(
        `{${['"a"', '"null"', '"__proto__"', '"2"']
          .slice(0, few)
          .map((name) => `${name}:${JSON.stringify(randomJson(random, depth + 1))}`)
          .join()}}`,
      );
  }
}

test('any value is its shape and its values, and the shape has no values', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 500; round += 1) {
    const value = randomJson(random, 0);
    const values: Json[] = [];
    const shape = JSON.parse(JSON.stringify(splitShape(value, values)));
    expect(JSON.stringify(joinShape(shape, values[Symbol.iterator]()))).toBe(JSON.stringify(value));
    expect(JSON.stringify(shape)).not.toMatch(/:(?:true|false|\d|")/);
  }
});

test('values of one shape differ only in their values', () => {
  const shapeOf = (value: Json) => JSON.stringify(splitShape(value, []));
  expect(shapeOf({ load1: 0.5, list: [1, 'a'] })).toBe(shapeOf({ load1: 7, list: [null, true] }));
  expect(shapeOf({ list: [1] })).not.toBe(shapeOf({ list: [1, 2] }));
});
