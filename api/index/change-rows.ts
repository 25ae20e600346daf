/** change-rows: writes what changed from one report of a host to the next, with the differences that it consists of. */

import { known, learnPaths, pathRoot } from './catalog.ts';
import { inChunks } from './chunks.ts';
import type { Database, OnConflict, Transaction } from './database.ts';
import { differencesOf } from './differences.ts';
import { textOfFacts } from './facts-text.ts';
import type { Change } from './timeline.ts';
import type { WriterMemory } from './writer-memory.ts';

export type ChangeOfHost = Change & { host: number };

export async function writeChanges(
  { toUuid }: Pick<Database, 'toUuid'>,
  transaction: Transaction,
  memory: WriterMemory,
  changes: readonly ChangeOfHost[],
  onConflict?: OnConflict<'changes'>,
): Promise<void> {
  await transaction.insert(
    'changes',
    ['host', 'plugin', 'at', 'report', 'before', 'after'],
    changes.map(({ host, plugin, at, report, before, after }) => [
      host,
      plugin,
      at,
      toUuid(report),
      before,
      after,
    ]),
    onConflict,
  );
  await writeDifferences(transaction, memory, changes);
}

/** Pairs whose facts are held at once: a fleet that takes a kernel changes ten thousand. */
const pairsAtOnce = 200;

/** Those that are there already stay. */
export async function writeDifferences(
  transaction: Transaction,
  memory: WriterMemory,
  pairs: readonly Pick<Change, 'before' | 'after'>[],
): Promise<void> {
  // Where there is nothing on one side, all of the other is the difference.
  const distinct = new Map(
    pairs.flatMap(({ before, after }) =>
      before === null || after === null ? [] : [[`${before} ${after}`, { before, after }] as const],
    ),
  );
  const all = [...distinct.values()];
  for (let from = 0; from < all.length; from += pairsAtOnce) {
    await writePairs(transaction, memory, all.slice(from, from + pairsAtOnce));
  }
}

async function writePairs(
  transaction: Transaction,
  memory: WriterMemory,
  pairs: readonly { before: number; after: number }[],
): Promise<void> {
  const ids = new Set(pairs.flatMap(({ before, after }) => [before, after]));
  const rows = await inChunks(ids, (part) =>
    transaction.query
      .selectFrom('fact_sets')
      .select(['id', 'plugin', 'facts', 'packed'])
      .where('id', 'in', part)
      .execute(),
  );
  const factSets = new Map(rows.map((row) => [row.id, row]));
  const found = pairs.flatMap(({ before, after }) => {
    const [was, is] = [known(factSets.get(before)), known(factSets.get(after))];
    const declared = memory.declarations.get(is.plugin)?.facts ?? null;
    const [wasFacts, isFacts] = [was, is].map((row) => JSON.parse(textOfFacts(row)));
    return differencesOf(pathRoot(is.plugin), declared, wasFacts, isFacts).map((difference, position) => ({
      position,
      ...difference,
      pair: [before, after],
    }));
  });
  await learnPaths(transaction, memory, new Set(found.map(({ path }) => path)));
  await transaction.insert(
    'differences',
    ['before', 'after', 'position', 'path', 'keys', 'before_value', 'after_value'],
    found.map(({ pair, position, path, keys, before, after }) => [
      ...pair,
      position,
      known(memory.paths.get(path)),
      keys.length === 0 ? null : JSON.stringify(keys),
      before,
      after,
    ]),
    'keep',
  );
}
