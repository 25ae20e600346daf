/**
 * flatten: takes the facts of one plugin apart into rows that filters compare.
 *
 * Only what fits the declaration becomes a row: what was sent otherwise is kept, but not compared.
 */
import { checkFacts } from '../../plugins/check-facts.ts';
import { type Fact, type Facts, isScalar, type ScalarFact, scalarKinds } from '../../plugins/fact.ts';
import { type Comparable, columnOf, toComparable } from './comparable.ts';

/** What the index needs to know of a plugin: plain data, which a thread can be handed. */
export type Declaration = { name: string; facts: Facts };

export type FlatValue = {
  /** `plugin.field`, through lists without a position. */
  path: string;
  /** Positions in the lists on the way, `2.0` for the first address of the third interface; else empty. */
  item: string;
  /** `item` of the list element around it; null outside of lists. */
  parent: string | null;
  /** Both null marks a list element that is a record. */
  text: string | null;
  number: number | null;
};

export function flattenFacts(plugin: Declaration, facts: unknown): FlatValue[] {
  return [...flattenRecord(plugin.facts, checkFacts(plugin.facts, facts).values, plugin.name, '')];
}

function* flattenRecord(facts: Facts, values: Record<string, unknown>, path: string, item: string) {
  for (const [name, fact] of Object.entries(facts)) {
    yield* flattenFact(fact, values[name], `${path}.${name}`, item);
  }
}

function* flattenFact(fact: Fact, value: unknown, path: string, item: string): Generator<FlatValue> {
  if (value === null || value === undefined) return;
  if (fact.kind !== 'list') {
    yield { path, item, parent: null, ...columns(fact, value) };
    return;
  }
  for (const [position, element] of (value as unknown[]).entries()) {
    const here = item === '' ? `${position}` : `${item}.${position}`;
    if (isScalar(fact.of)) {
      yield { path, item: here, parent: item, ...columns(fact.of, element) };
    } else {
      yield { path, item: here, parent: item, text: null, number: null };
      yield* flattenRecord(fact.of, element as Record<string, unknown>, path, here);
    }
  }
}

function columns(fact: ScalarFact, value: unknown): { text: string | null; number: number | null } {
  const { compare } = scalarKinds[fact.kind];
  const key: Comparable = toComparable(compare, value);
  return columnOf(compare) === 'text'
    ? { text: String(key), number: null }
    : { text: null, number: Number(key) };
}
