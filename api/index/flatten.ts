/**
 * flatten: takes the facts of one plugin apart into rows that filters compare.
 *
 * Of a plugin that is declared, only what fits the declaration becomes a row: what was sent otherwise is kept, but not
 * compared. Of any other plugin texts, numbers and booleans do, as what they are in JSON.
 */
import { checkFacts } from '../../plugins/check-facts.ts';
import { type Fact, type Facts, isScalar, type ScalarFact, scalarKinds } from '../../plugins/fact.ts';
import { type Comparable, foldCase, toComparable, withoutNul } from './comparable.ts';

/** What the index needs to know of a plugin: plain data, which a thread can be handed. */
export type Declaration = { name: string; facts: Facts };

/** By plugin name. */
export type Declarations = ReadonlyMap<string, Declaration>;

export type FlatValue = {
  /** `plugin.field`, through lists without a position. */
  path: string;
  /** Positions in the lists on the way, `2.0` for the first address of the third interface; else empty. */
  item: string;
  /** Of a list element the `item` of what the list is in; of a list `listRow`; of any other value null. */
  parent: string | null;
  /** Both null marks a list element that is a record. */
  text: string | null;
  /** The text without case, where that is another. */
  folded: string | null;
  /** Of a list its length. */
  number: number | null;
};

/** Marks the row of a list itself: no item is named so. */
export const listRow = '#';

/** Values of one fact set whose plugin is not declared: thousands of packages, but not whatever somebody may send. */
const maxUndeclaredValues = 20_000;
/** Of a path that JSON of an undeclared plugin makes: its keys may be anything. */
const maxPathLength = 500;

export function flattenFacts(plugin: Declaration, facts: unknown): FlatValue[] {
  return [...flattenRecord(plugin.facts, checkFacts(plugin.facts, facts).values, plugin.name, '')];
}

/** @param root what paths begin with */
export function flattenUndeclared(root: string, facts: unknown): FlatValue[] {
  return flattenJson(facts, root, '', null).take(maxUndeclaredValues).toArray();
}

/**
 * Whether each list outside of lists has a path that no other value has, or begins with: not so where names that hold dots
 * may spell the path of another.
 */
export function hasOwnPaths(facts: unknown): boolean {
  if (typeof facts !== 'object' || facts === null || Array.isArray(facts)) return true;
  return Object.entries(facts).every(
    ([name, inner]) => !name.includes('.') && !name.includes('\0') && hasOwnPaths(inner),
  );
}

function* flattenJson(
  value: unknown,
  path: string,
  item: string,
  parent: string | null,
): Generator<FlatValue> {
  if (value === null || value === undefined || path.length > maxPathLength) return;
  if (Array.isArray(value)) {
    // A list in a list has no path of its own to be asked by.
    if (parent !== null) return;
    yield listOf(path, item, value.length);
    for (const [position, element] of value.entries()) {
      yield* flattenJson(element, path, item === '' ? `${position}` : `${item}.${position}`, item);
    }
  } else if (typeof value === 'object') {
    if (parent !== null) yield { path, item, parent, text: null, folded: null, number: null };
    for (const [name, inner] of Object.entries(value)) {
      yield* flattenJson(inner, `${path}.${withoutNul(name)}`, item, null);
    }
  } else {
    const key = typeof value === 'string' ? withoutNul(value) : Number(value);
    yield { path, item, parent, ...columnsOf(key) };
  }
}

function listOf(path: string, item: string, length: number): FlatValue {
  return { path, item, parent: listRow, text: null, folded: null, number: length };
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
  yield listOf(path, item, (value as unknown[]).length);
  for (const [position, element] of (value as unknown[]).entries()) {
    const here = item === '' ? `${position}` : `${item}.${position}`;
    if (isScalar(fact.of)) {
      yield { path, item: here, parent: item, ...columns(fact.of, element) };
    } else {
      yield { path, item: here, parent: item, text: null, folded: null, number: null };
      yield* flattenRecord(fact.of, element as Record<string, unknown>, path, here);
    }
  }
}

function columns(fact: ScalarFact, value: unknown) {
  return columnsOf(toComparable(scalarKinds[fact.kind].compare, value));
}

function columnsOf(key: Comparable): Pick<FlatValue, 'text' | 'folded' | 'number'> {
  if (typeof key === 'number') return { text: null, folded: null, number: key };
  const folded = foldCase(key);
  return { text: key, folded: folded === key ? null : folded, number: null };
}
