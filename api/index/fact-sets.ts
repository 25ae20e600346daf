/**
 * fact-sets: gives fact sets their numbers, and adds those that are new with the values that are in them.
 *
 * Values of long lists are not at the fact set but at elements, which all fact sets share that have them (see
 * long-lists.ts). After this the memory knows all that was asked for.
 */
import { sql } from 'kysely';
import { known, learnPaths, pathRoot } from './catalog.ts';
import { inChunks } from './chunks.ts';
import type { Transaction } from './database.ts';
import type { Digest } from './digest.ts';
import { storedFacts } from './facts-text.ts';
import { type FlatValue, flattenUndeclared, hasOwnPaths } from './flatten.ts';
import { type TakenApart, takeDeclaredApart, takeLongLists } from './long-lists.ts';
import type { WriterMemory } from './writer-memory.ts';

export async function learnFactSets(
  transaction: Transaction,
  memory: WriterMemory,
  { factSets, contents }: Pick<Digest, 'factSets' | 'contents'>,
): Promise<void> {
  const told = [...contents.values()].flatMap(({ results }) =>
    results.flatMap(({ factSet }) => factSet ?? []),
  );
  // One that the digest leaves out, and the index has not, is told where its number is asked for.
  const isAtHand = (hash: string) => factSets.has(hash);
  const added = (await learn(transaction, memory, 'fact_sets', new Set(told), isAtHand)).map((hash) => ({
    id: known(memory.factSets.get(hash)),
    hash,
    ...known(factSets.get(hash)),
  }));
  await transaction.insert(
    'fact_sets',
    ['id', 'hash', 'plugin', 'facts', 'packed'],
    added.map(({ id, hash, plugin, facts: text }) => {
      const { facts, packed } = storedFacts(text);
      return [id, hash, plugin, facts, packed];
    }),
  );
  await insertValues(transaction, memory, added);
}

type Hashed = 'fact_sets' | 'elements' | 'blocks';

/** Gives each its number. @returns those that the table did not have, whose rows are for the caller to add */
async function learn(
  transaction: Transaction,
  memory: WriterMemory,
  table: Hashed,
  hashes: Iterable<string>,
  isAdded: (hash: string) => boolean = () => true,
): Promise<string[]> {
  const numbers = { fact_sets: memory.factSets, elements: memory.elements, blocks: memory.blocks }[table];
  const unknown = [...hashes].filter((hash) => !numbers.has(hash));
  const found = await inChunks(unknown, (part) =>
    transaction.query.selectFrom(table).select(['id', 'hash']).where('hash', 'in', part).execute(),
  );
  for (const { id, hash } of found) numbers.set(hash, id);
  const added = unknown.filter((hash) => !numbers.has(hash) && isAdded(hash));
  for (const hash of added) numbers.set(hash, await memory.nextId(transaction, table));
  return added;
}

type ToldFacts = { id: number; plugin: string; facts: string };

/** Fact sets taken apart at once: the first reports of a fleet bring tens of thousands, of some twenty values each. */
const factSetsAtOnce = 200;
/** Characters of JSON taken apart at once: their values take some ten times that in memory. */
const textAtOnce = 2_000_000;

/** Takes fact sets apart into comparable values. */
export async function insertValues(
  transaction: Transaction,
  memory: WriterMemory,
  factSets: readonly ToldFacts[],
): Promise<void> {
  let batch: ToldFacts[] = [];
  let length = 0;
  for (const factSet of factSets) {
    batch.push(factSet);
    length += factSet.facts.length;
    if (batch.length < factSetsAtOnce && length < textAtOnce) continue;
    await insertBatch(transaction, memory, batch);
    [batch, length] = [[], 0];
  }
  await insertBatch(transaction, memory, batch);
}

async function insertBatch(
  transaction: Transaction,
  memory: WriterMemory,
  factSets: readonly ToldFacts[],
): Promise<void> {
  const apart = factSets.map(({ id, plugin, facts }) => ({
    id,
    ...takeApart(memory, plugin, JSON.parse(facts)),
  }));
  await insertRows(transaction, memory, apart);
  await insertBlocks(
    transaction,
    memory,
    apart.filter(({ blocks }) => blocks.length > 0),
  );
}

function takeApart(
  { declarations, longListLength, knownElements }: WriterMemory,
  plugin: string,
  facts: unknown,
): TakenApart {
  const declaration = declarations.get(plugin);
  if (declaration) return takeDeclaredApart(declaration, facts, longListLength, knownElements);
  const values = flattenUndeclared(pathRoot(plugin), facts);
  return hasOwnPaths(facts) ? takeLongLists(values, longListLength) : { values, blocks: [] };
}

/** @param owners a fact set's number, or below zero that of an element */
async function insertRows(
  transaction: Transaction,
  memory: WriterMemory,
  owners: readonly { id: number; values: readonly FlatValue[] }[],
): Promise<void> {
  await learnPaths(
    transaction,
    memory,
    new Set(owners.flatMap(({ values }) => values.map(({ path }) => path))),
  );
  await transaction.insert(
    'fact_values',
    ['fact_set', 'path', 'item', 'parent', 'text', 'folded', 'number'],
    owners.flatMap(({ id, values }) =>
      values.map(({ path, item, parent, text, folded, number }) => {
        return [id, known(memory.paths.get(path)), item, parent, text, folded, number];
      }),
    ),
    // Names in what is not declared may hold dots, so that two values have one path: the first is compared.
    'keep',
  );
}

async function insertBlocks(
  transaction: Transaction,
  memory: WriterMemory,
  factSets: readonly ({ id: number } & Pick<TakenApart, 'blocks'>)[],
): Promise<void> {
  const { insert } = transaction;
  const blocks = new Map(factSets.flatMap((factSet) => factSet.blocks.map((block) => [block.hash, block])));
  const newBlocks = (await learn(transaction, memory, 'blocks', blocks.keys())).map((hash) =>
    known(blocks.get(hash)),
  );
  const elements = new Map(
    newBlocks.flatMap((block) => block.elements.map((element) => [element.hash, element])),
  );
  const newElements = (await learn(transaction, memory, 'elements', elements.keys())).map((hash) => ({
    ...known(elements.get(hash)),
    id: known(memory.elements.get(hash)),
  }));
  await learnPaths(transaction, memory, new Set(newElements.map(({ list }) => list)));
  await insert(
    'elements',
    ['id', 'hash', 'list'],
    newElements.map(({ id, hash, list }) => [id, hash, known(memory.paths.get(list))]),
  );
  // From the last to the first, as they lie in the table: the other way SQLite leaves half of each page empty.
  await insertRows(
    transaction,
    memory,
    newElements.toReversed().map(({ id, values }) => ({ id: -id, values: values() })),
  );
  const numberOf = (hash: string) => known(memory.blocks.get(hash));
  await insert(
    'blocks',
    ['id', 'hash'],
    newBlocks.map(({ hash }) => [numberOf(hash), hash]),
  );
  await insert(
    'block_elements',
    ['block', 'element'],
    newBlocks.flatMap((block) =>
      block.elements.map(({ hash }) => [numberOf(block.hash), known(memory.elements.get(hash))]),
    ),
  );
  await insert(
    'fact_set_blocks',
    ['fact_set', 'block'],
    factSets.flatMap((factSet) => factSet.blocks.map(({ hash }) => [factSet.id, numberOf(hash)])),
  );
}

/** Deletes blocks that no fact set has any more, and elements that no block has. */
export async function forgetUnlinked({ query }: Transaction, memory: WriterMemory): Promise<void> {
  // Their numbers must not be used again.
  memory.blocks.clear();
  memory.elements.clear();
  const noFactSet = sql`NOT EXISTS (SELECT 1 FROM fact_set_blocks f WHERE f.block = blocks.id)`;
  await sql`DELETE FROM block_elements WHERE block IN (SELECT id FROM blocks WHERE ${noFactSet})`.execute(
    query,
  );
  await sql`DELETE FROM blocks WHERE ${noFactSet}`.execute(query);
  const noBlock = sql`NOT EXISTS (SELECT 1 FROM block_elements b WHERE b.element = elements.id)`;
  await sql`DELETE FROM fact_values WHERE fact_set IN (SELECT -id FROM elements WHERE ${noBlock})`.execute(
    query,
  );
  await sql`DELETE FROM elements WHERE ${noBlock}`.execute(query);
}
