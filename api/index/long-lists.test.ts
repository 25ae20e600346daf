import { expect, test } from 'vitest';
import { list, number, text } from '../../plugins/plugin.ts';
import { seededRandom } from '../../test/support/noise.ts';
import { randomFacts } from '../../test/support/random-facts.ts';
import { type FlatValue, flattenFacts, flattenUndeclared, hasOwnPaths } from './flatten.ts';
import { type KnownElements, type TakenApart, takeDeclaredApart, takeLongLists } from './long-lists.ts';

const elementsOf = ({ blocks }: TakenApart) => blocks.flatMap(({ elements }) => [...elements]);
const told = (values: readonly FlatValue[]) => values.map((value) => JSON.stringify(value)).sort();

/** Values without their places: of what is in a list, in which element does not say. */
const withoutPlaces = (values: readonly FlatValue[]) =>
  told(values.map((value) => ({ ...value, item: '', parent: value.parent === null ? null : '' })));

test('no value is lost, none is there twice, and short lists stay where they are', () => {
  const random = seededRandom(3);
  let shared = 0;
  for (let round = 0; round < 400; round += 1) {
    const facts = randomFacts(random, 6);
    if (!hasOwnPaths(facts)) continue;
    const values = flattenUndeclared('rack', facts);
    const apart = takeLongLists(values, 3);
    const elements = elementsOf(apart);
    shared += elements.length;
    expect(withoutPlaces([...apart.values, ...elements.flatMap((element) => element.values())])).toEqual(
      withoutPlaces(values),
    );
    expect(new Set(elements.map(({ hash }) => hash)).size).toBe(elements.length);
    const whole = takeLongLists(values, Number.POSITIVE_INFINITY);
    expect(told(whole.values)).toEqual(told(values));
    expect(whole.blocks).toEqual([]);
  }
  expect(shared).toBeGreaterThan(100);
});

const rack = {
  name: 'rack',
  facts: {
    label: text('A text'),
    tags: list('Texts', text('A text')),
    parts: list('Records', {
      name: text('A text', { nullable: false }),
      slots: number('A number'),
      ports: list('Records', { speed: number('A number') }),
    }),
  },
};

test('elements of a declared list are the same, whether they are known already or taken apart as any values are', () => {
  const random = seededRandom(5);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const known: KnownElements = new Map();
  for (let round = 0; round < 300; round += 1) {
    const facts = {
      label: pick(['a', null, 7]),
      tags: pick([null, 'none', ['blue', 'blue', 'red'], ['blue', 7, null, 'green']]),
      parts: Array.from({ length: Math.floor(random() * 8) }, () => ({
        name: pick(['fan', 'psu', null]),
        slots: pick([1, 2, 'many']),
        ...(random() < 0.5
          ? { ports: pick([[], [{ speed: 1 }, { speed: 2 }], [{ speed: 1 }, 'torn']]) }
          : {}),
        ...(random() < 0.1 ? { unknown: 1 } : {}),
      })),
      ...(random() < 0.1 ? { more: [1, 2, 3, 4] } : {}),
    };
    // What does not fit at all is no element: there is none of it in these records.
    const expected = takeLongLists(flattenFacts(rack, facts), 1);
    const found = takeDeclaredApart(rack, facts, 1, known);
    expect(told(found.values)).toEqual(told(expected.values));
    const named = (apart: TakenApart) =>
      apart.blocks.map(({ hash, elements }) => [
        hash,
        elements.map((element) => [element.hash, element.list, told(element.values())]),
      ]);
    expect(named(found)).toEqual(named(expected));
  }
  expect(known.size).toBeGreaterThan(20);
});

test('facts that are no record are as they are without long lists', () => {
  for (const facts of [null, 'text', [[1, 2, 3]], { parts: 'none' }]) {
    expect(takeDeclaredApart(rack, facts, 1, new Map())).toEqual({
      values: flattenFacts(rack, facts),
      blocks: [],
    });
  }
});

test('what is added, gone or changed makes few blocks others', () => {
  const named = (names: readonly string[]) =>
    takeDeclaredApart(rack, { parts: names.map((name) => ({ name })) }, 100, new Map()).blocks;
  const names = Array.from({ length: 1_000 }, (_, index) => `part-${index}`);
  const before = new Set(named(names).map(({ hash }) => hash));
  expect(before.size).toBeGreaterThan(30);
  const others = [names.toReversed(), [...names, 'one-more'], names.slice(1), names.with(500, 'another')].map(
    (after) => named(after).filter(({ hash }) => !before.has(hash)).length,
  );
  expect(others[0]).toBe(0);
  // One that ends a block is in two of them: what was before it, and what came after.
  expect(Math.max(...others)).toBeLessThanOrEqual(4);
});
