/**
 * differences: what is not the same in two fact sets of one plugin, field by field.
 *
 * Pure. Lists of records are compared by their key where one is declared (an interface by its name), any other list by
 * what is in it; an order that changed is told only where nothing else did.
 */
import { type Fact, type Facts, isScalar, type ListFact } from '../../plugins/fact.ts';
import { canonicalJson } from '../../plugins/fact-set.ts';
import { withoutNul } from './comparable.ts';

export type Difference = {
  /** Dotted from the plugin on, without list positions. */
  path: string;
  /** Keys of the list elements on the way, the outermost first. */
  keys: readonly string[];
  /** Canonical JSON; null where there is no value. */
  before: string | null;
  after: string | null;
};

/** Of two fact sets; thousands of packages may go at once, but nobody reads more. */
const maxDifferences = 10_000;

/** @param facts the plugin's declaration; null where the index has none */
export function differencesOf(
  root: string,
  facts: Facts | null,
  before: unknown,
  after: unknown,
): Difference[] {
  return compareValues({ path: root, keys: [] }, facts, before, after).take(maxDifferences).toArray();
}

type Place = Pick<Difference, 'path' | 'keys'>;
/** What is declared of a value: of a record its facts. */
type Declared = Fact | Facts | null;

function* compareValues(
  place: Place,
  declared: Declared,
  before: unknown,
  after: unknown,
): Generator<Difference> {
  if (isRecord(before) && isRecord(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const inner = { ...place, path: `${place.path}.${withoutNul(name)}` };
      yield* compareValues(inner, factOf(declared, name), ownOf(before, name), ownOf(after, name));
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    yield* compareLists(place, declared, before, after);
    return;
  }
  const [was, is] = [textOf(before), textOf(after)];
  if (was !== is) yield { ...place, before: was, after: is };
}

function* compareLists(
  place: Place,
  declared: Declared,
  before: readonly unknown[],
  after: readonly unknown[],
): Generator<Difference> {
  const list = declared?.kind === 'list' ? (declared as ListFact) : null;
  const key = list?.key;
  const byKey = key ? [keyed(before, key), keyed(after, key)] : null;
  const [was, is] = byKey ?? [];
  if (was && is) {
    const of = list && !isScalar(list.of) ? list.of : null;
    for (const name of new Set([...was.keys(), ...is.keys()])) {
      if (isSame(was.get(name), is.get(name))) continue;
      yield* compareValues({ ...place, keys: [...place.keys, name] }, of, was.get(name), is.get(name));
    }
    return;
  }
  if (isSame(before, after)) return;
  const [were, are] = [before.map(canonicalJson), after.map(canonicalJson)];
  const [gone, come] = [without(were, are), without(are, were)];
  for (const text of gone) yield { ...place, before: text, after: null };
  for (const text of come) yield { ...place, before: null, after: text };
  if (gone.length > 0 || come.length > 0) return;
  const [all, others] = [textOf(before), textOf(after)];
  if (all !== others) yield { ...place, before: all, after: others };
}

/** Whether both were sent in the same words: most of what is in a long list is, and this is told without putting keys in order. */
function isSame(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

/** The elements by their keys, of equal ones the second as `key#2`; null where some has no key. */
function keyed(elements: readonly unknown[], key: string | readonly string[]): Map<string, unknown> | null {
  const names = typeof key === 'string' ? [key] : key;
  const found = new Map<string, unknown>();
  for (const element of elements) {
    if (!isRecord(element)) return null;
    const values = names.map((name) => ownOf(element, name) ?? '');
    if (values.every((value) => value === '') || values.some((value) => typeof value === 'object'))
      return null;
    const text = values.join(' ').trim();
    let name = text;
    for (let copy = 2; found.has(name); copy += 1) name = `${text}#${copy}`;
    found.set(name, element);
  }
  return found;
}

/** Those of the first that are not in the second, each as often as it is there more often. */
function without(texts: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const text of others) left.set(text, (left.get(text) ?? 0) + 1);
  return texts.filter((text) => {
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
}

function factOf(declared: Declared, name: string): Fact | null {
  if (!declared || typeof declared.kind === 'string' || !Object.hasOwn(declared, name)) return null;
  return (declared as Facts)[name] ?? null;
}

function ownOf(record: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null for what is not there, or is not known. */
function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : canonicalJson(value);
}
