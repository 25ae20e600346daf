/**
 * long-lists: takes the elements of long lists out of the values of a fact set, so that fact sets share them.
 *
 * Pure. An element is known by its values alone: the same package is the same element, whichever host has it. Elements in
 * the order of their hashes are cut into blocks where a hash says so: what is added or gone makes one block another, and
 * leaves the rest as they are. See docs/design/0007-long-lists.md.
 */
import { hash } from 'node:crypto';
import { type Declaration, type FlatValue, flattenFacts, listRow } from './flatten.ts';

/** From this length on a list is long: its fact sets share what is in it. */
export const defaultLongListLength = 100;

export type LongListElement = {
  /** Of its values; of equal elements of one fact set each has another. */
  hash: string;
  /** The path of its list. */
  list: string;
  /** As if it were the only one; asked for where nobody has told them yet. */
  values(): FlatValue[];
};

export type Block = { hash: string; elements: readonly LongListElement[] };

export type TakenApart = {
  /** What the fact set has to itself: the lists' own rows are here. */
  values: FlatValue[];
  blocks: Block[];
};

/**
 * From an element as sent to the hash of its values, or null where it has none: nearly all elements of a list were in the
 * list before, and taking one apart costs ten times as much as to recognise it. Whoever keeps it bounds it.
 */
export type KnownElements = Map<string, string | null>;

/** Takes the facts of a declared plugin apart. */
export function takeDeclaredApart(
  plugin: Declaration,
  facts: unknown,
  longListLength: number,
  known: KnownElements,
): TakenApart {
  const lists = Object.keys(plugin.facts).flatMap((name) => {
    const list = isRecord(facts) && plugin.facts[name]?.kind === 'list' ? facts[name] : null;
    return Array.isArray(list) && list.length >= longListLength ? [{ name, list: list as unknown[] }] : [];
  });
  if (!isRecord(facts) || lists.length === 0) return { values: flattenFacts(plugin, facts), blocks: [] };
  const emptied = { ...facts, ...Object.fromEntries(lists.map(({ name }) => [name, []])) };
  const own = flattenFacts(plugin, emptied);
  const elements = lists.flatMap(({ name, list }) => {
    const path = `${plugin.name}.${name}`;
    const fitting = declaredElements(plugin, name, list, known);
    const row = own.find((value) => value.path === path && value.parent === listRow);
    if (row) row.number = fitting.length;
    return fitting;
  });
  return { values: own, blocks: inBlocks(apart(elements)) };
}

/** Without those that do not fit their declaration at all. */
function declaredElements(
  { name: plugin, facts }: Declaration,
  name: string,
  list: readonly unknown[],
  known: KnownElements,
): LongListElement[] {
  const fact = facts[name];
  if (!fact) return [];
  const path = `${plugin}.${name}`;
  const alone = { name: plugin, facts: { [name]: fact } };
  return list.flatMap((element) => {
    const values = () => flattenFacts(alone, { [name]: [element] }).filter(({ item }) => item !== '');
    const asSent = `${path} ${JSON.stringify(element)}`;
    let identity = known.get(asSent);
    if (identity === undefined) {
      const found = values();
      identity = found.length === 0 ? null : identityOf(found);
      known.set(asSent, identity);
    }
    return identity === null ? [] : [{ hash: identity, list: path, values }];
  });
}

/** @param values all of a fact set, in which no two lists outside of lists have paths of which one begins with the other */
export function takeLongLists(values: readonly FlatValue[], longListLength: number): TakenApart {
  const lists = new Set(
    values.flatMap(({ path, item, parent, number }) =>
      item === '' && parent === listRow && (number ?? 0) >= longListLength ? [path] : [],
    ),
  );
  if (lists.size === 0) return { values: [...values], blocks: [] };
  const own: FlatValue[] = [];
  const elements = new Map<string, { list: string; found: FlatValue[] }>();
  for (const value of values) {
    const list = value.item === '' ? null : listOf(value.path, lists);
    if (list === null) {
      own.push(value);
      continue;
    }
    const key = `${firstOf(value.item)} ${list}`;
    const element = elements.get(key) ?? { list, found: [] };
    elements.set(key, element);
    const { item, parent } = value;
    // A list in the element, and what is in that, lie below it; the element itself lies in nothing.
    const inElement = parent === null || parent === '' || parent === listRow ? parent : asFirst(parent);
    element.found.push({ ...value, item: asFirst(item), parent: inElement });
  }
  const identified = [...elements.values()].map(({ list, found }) => {
    return { hash: identityOf(found), list, values: () => found };
  });
  return { values: own, blocks: inBlocks(apart(identified)) };
}

function listOf(path: string, lists: ReadonlySet<string>): string | null {
  if (lists.has(path)) return path;
  for (const list of lists) if (path.startsWith(`${list}.`)) return list;
  return null;
}

function firstOf(item: string): string {
  const end = item.indexOf('.');
  return end < 0 ? item : item.slice(0, end);
}

/** The place that it has in an element of which there is one. */
function asFirst(item: string): string {
  return `0${item.slice(firstOf(item).length)}`;
}

function identityOf(values: readonly FlatValue[]): string {
  return hashOf(
    JSON.stringify(values.map(({ path, item, parent, text, number }) => [path, item, parent, text, number])),
  );
}

/** Equal elements, each with a hash of its own: a number in both is there twice. */
function apart(elements: readonly LongListElement[]): LongListElement[] {
  const copies = new Map<string, number>();
  return elements.map((element) => {
    const copy = (copies.get(element.hash) ?? 0) + 1;
    copies.set(element.hash, copy);
    return copy === 1 ? element : { ...element, hash: hashOf(`${copy} ${element.hash}`) };
  });
}

/** Hashes that end so end a block: one in sixteen. */
const lastOfBlock = /[A-D]$/;

function inBlocks(elements: readonly LongListElement[]): Block[] {
  const blocks: Block[] = [];
  let open: LongListElement[] = [];
  const close = () => {
    if (open.length > 0)
      blocks.push({ hash: hashOf(open.map((element) => element.hash).join(' ')), elements: open });
    open = [];
  };
  for (const element of elements.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))) {
    open.push(element);
    if (lastOfBlock.test(element.hash)) close();
  }
  close();
  return blocks;
}

/** In base64 characters: 132 bits. */
const hashLength = 22;

function hashOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, hashLength);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
