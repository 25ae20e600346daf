/**
 * element-counts: hosts by the values that elements of long lists have, added up here and not by the database.
 *
 * Hosts share fact sets, and fact sets blocks: each is read once. A statement would make a row for each element of each
 * host, and sort them all.
 */
import { sql } from 'kysely';
import { isAmong } from './among.ts';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { FactPath, HostQuestion } from './index-store.ts';
import { factsOfHosts, isValueAt } from './told-values.ts';

/** A value, the first fact set that has it, and how many hosts tell it; of hosts that tell none, all three are null. */
export type Counted = { text: string | null; number: number | null; sample: number | null; hosts: number };

export type ElementCounts = {
  /** In no order. */
  values: Counted[];
  /** That tell any. */
  hosts: number;
};

/** Of one statement. To add them up takes the thread some milliseconds, in which it answers nobody else. */
const factSetsAtOnce = 50;
/** Of one statement, with some sixteen elements each. */
const blocksAtOnce = 10_000;
/** That are remembered: some tens of megabytes. */
const maxBlocks = 100_000;
const maxElements = 200_000;

/** Counts a host once for each value at the path, however many of its elements have it. */
export async function countElements(
  database: Database,
  question: HostQuestion,
  path: FactPath,
): Promise<ElementCounts> {
  const told = await hostsByFactSet(database, question, path);
  const { values, learn, ofBlock } = makeBlockValues(database, path.path);
  /** By the number of the value: the fact set in which it was met last. */
  const lastMetIn: number[] = [];
  let all = 0;
  await inChunks(
    told,
    async (part) => {
      const blocks = await blocksOf(
        database,
        part.map(({ factSet }) => factSet),
      );
      await learn(blocks.values());
      for (const { factSet, hosts } of part) {
        let isTold = false;
        for (const block of blocks.get(factSet) ?? []) {
          for (const number of ofBlock(block)) {
            const value = values[number];
            if (!value || lastMetIn[number] === factSet) continue;
            lastMetIn[number] = factSet;
            value.hosts += hosts;
            value.sample ??= factSet;
            isTold = true;
          }
        }
        if (isTold) all += hosts;
      }
      return [];
    },
    factSetsAtOnce,
  );
  return { values: values.filter(({ hosts }) => hosts > 0), hosts: all };
}

/**
 * Adds what fact sets have to themselves, where hosts with values in elements are among those that tell none.
 *
 * @returns the most frequent first
 */
export function withOwnCounts(elements: ElementCounts, own: readonly Counted[]): Counted[] {
  const counted = new Map(elements.values.map((value) => [keyOf(value), value]));
  for (const value of own) {
    const isNothing = value.text === null && value.number === null;
    const hosts = Number(value.hosts) - (isNothing ? elements.hosts : 0);
    const known = counted.get(keyOf(value));
    if (known) {
      known.hosts += hosts;
      known.sample = Math.min(known.sample ?? Number.POSITIVE_INFINITY, Number(value.sample));
    } else if (hosts > 0) counted.set(keyOf(value), { ...value, hosts });
  }
  return [...counted.values()].sort(
    (a, b) => b.hosts - a.hosts || compareTexts(a.text, b.text) || Number(a.number) - Number(b.number),
  );
}

/** A value of two hosts that tell the same has one key. */
export function keyOf({ text, number }: Pick<Counted, 'text' | 'number'>): string {
  return JSON.stringify([text, number]);
}

/** As both databases do: by bytes, and what is no text first. */
function compareTexts(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** What hosts told, each with how many did; what was told first comes first. */
async function hostsByFactSet(
  database: Database,
  question: HostQuestion,
  path: FactPath,
): Promise<{ factSet: number; hosts: number }[]> {
  const { rows } = await sql<{
    fact_set: number;
    hosts: number;
  }>`SELECT s.fact_set_0 AS fact_set, count(*) AS hosts
    FROM (${await factsOfHosts(database, question, [path])}) s WHERE s.fact_set_0 IS NOT NULL
    GROUP BY s.fact_set_0 ORDER BY s.fact_set_0`.execute(database.query);
  return rows.map(({ fact_set, hosts }) => ({ factSet: Number(fact_set), hosts: Number(hosts) }));
}

async function blocksOf(database: Database, factSets: readonly number[]): Promise<Map<number, number[]>> {
  const { rows } = await sql<{ fact_set: number; blocks: string }>`SELECT b.fact_set,
      string_agg(CAST(b.block AS text), ' ') AS blocks
    FROM fact_set_blocks b WHERE ${isAmong(database, sql`b.fact_set`, factSets)} GROUP BY b.fact_set`.execute(
    database.query,
  );
  return new Map(rows.map(({ fact_set, blocks }) => [Number(fact_set), numbersIn(blocks)]));
}

/** The distinct values at a path, and which of them are in a block: their numbers are places in `values`. */
function makeBlockValues(database: Database, path: string) {
  const values: Counted[] = [];
  const numbers = new Map<string, number>();
  const byElement = new Map<number, number[]>();
  const byBlock = new Map<number, number[]>();

  async function learnElements(elements: readonly (readonly number[])[]): Promise<void> {
    if (byElement.size > maxElements) byElement.clear();
    const unknown = unknownOf(byElement, elements);
    for (const element of unknown) byElement.set(element, []);
    const owners = Array.from(unknown, (element) => -element);
    const { rows } = await sql<{ text: string | null; number: number | null; elements: string }>`
      SELECT v.text, v.number, string_agg(CAST(-v.fact_set AS text), ' ') AS elements FROM fact_values v
      WHERE ${isAmong(database, sql`v.fact_set`, owners)} AND ${isValueAt('v', path)}
      GROUP BY v.text, v.number`.execute(database.query);
    for (const { elements: having, ...value } of rows) {
      const key = keyOf(value);
      const number = numbers.get(key) ?? values.push({ ...value, sample: null, hosts: 0 }) - 1;
      numbers.set(key, number);
      for (const element of numbersIn(having)) byElement.get(element)?.push(number);
    }
  }

  function valuesOf(elements: readonly number[]): number[] {
    const told: number[] = [];
    for (const element of elements) {
      for (const number of byElement.get(element) ?? []) if (!told.includes(number)) told.push(number);
    }
    return told;
  }

  return {
    values,
    async learn(blocks: Iterable<readonly number[]>): Promise<void> {
      if (byBlock.size > maxBlocks) byBlock.clear();
      const unknown = unknownOf(byBlock, blocks);
      await inChunks(
        unknown,
        async (part) => {
          const { rows } = await sql<{ block: number; elements: string }>`SELECT c.block,
              string_agg(CAST(c.element AS text), ' ') AS elements
            FROM block_elements c WHERE ${isAmong(database, sql`c.block`, part)} GROUP BY c.block`.execute(
            database.query,
          );
          const found = rows.map(({ block, elements }) => ({ block, elements: numbersIn(elements) }));
          await learnElements(found.map(({ elements }) => elements));
          for (const { block, elements } of found) byBlock.set(Number(block), valuesOf(elements));
          return [];
        },
        blocksAtOnce,
      );
    },
    ofBlock: (block: number): readonly number[] => byBlock.get(block) ?? [],
  };
}

function unknownOf(known: ReadonlyMap<number, unknown>, lists: Iterable<readonly number[]>): Set<number> {
  const unknown = new Set<number>();
  for (const list of lists) for (const number of list) if (!known.has(number)) unknown.add(number);
  return unknown;
}

/** Digits and spaces; there may be hundreds of thousands, which to split first takes three times as long. */
function numbersIn(text: string): number[] {
  const numbers: number[] = [];
  let number = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - zero;
    if (digit >= 0) number = number * 10 + digit;
    else {
      numbers.push(number);
      number = 0;
    }
  }
  numbers.push(number);
  return numbers;
}

const zero = '0'.charCodeAt(0);
