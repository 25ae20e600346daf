/** declarations: keeps the comparable values in step with the plugins' declarations, which change with versions. */
import { hash } from 'node:crypto';
import { writeDifferences } from './change-rows.ts';
import { inChunks } from './chunks.ts';
import type { Transaction } from './database.ts';
import { forgetUnlinked, insertValues } from './fact-sets.ts';
import { textOfFacts } from './facts-text.ts';
import type { Declaration, Declarations } from './flatten.ts';
import type { IndexWriter } from './index-writer.ts';
import type { IndexMode } from './sql-index.ts';
import type { WriterMemory } from './writer-memory.ts';

/** Fact sets held at once: one may be some hundred kilobytes. */
const pageSize = 200;

/** Compares anew what is stored of plugins whose declaration is not the one that it was taken apart with. */
export async function followDeclarations(
  writer: IndexWriter,
  declarations: Declarations,
  mode: IndexMode,
): Promise<void> {
  await writer.change(async (transaction, memory) => {
    const { query, insert } = transaction;
    const before = new Map(
      (await query.selectFrom('plugins').selectAll().execute()).map((row) => [row.name, row.declaration]),
    );
    // What is not declared is taken apart as well, but into other values.
    const gone = [...before.keys()].filter((name) => !declarations.has(name));
    const changed = [...declarations.values()].filter(
      (declaration) => before.get(declaration.name) !== identityOf(declaration),
    );
    for (const name of gone) {
      await takeApart(transaction, memory, name);
      await query.deleteFrom('plugins').where('name', '=', name).execute();
    }
    for (const declaration of changed) {
      await takeApart(transaction, memory, declaration.name);
      await insert('plugins', ['name', 'declaration'], [[declaration.name, identityOf(declaration)]], {
        set: ['declaration'],
      });
    }
    // What finds them is made at the end of a bulk; a few that are left there change no answer.
    if (mode === 'live' && gone.length + changed.length > 0) await forgetUnlinked(transaction, memory);
  });
}

async function takeApart(transaction: Transaction, memory: WriterMemory, plugin: string): Promise<void> {
  const { query } = transaction;
  const own = query.selectFrom('fact_sets').select('id').where('plugin', '=', plugin);
  await query.deleteFrom('fact_values').where('fact_set', 'in', own).execute();
  await query.deleteFrom('fact_set_blocks').where('fact_set', 'in', own).execute();
  await query.deleteFrom('differences').where('after', 'in', own).execute();
  for (let last = 0, more = true; more; ) {
    const rows = await query
      .selectFrom('fact_sets')
      .select(['id', 'facts', 'packed'])
      .where('plugin', '=', plugin)
      .where('id', '>', last)
      .orderBy('id')
      .limit(pageSize)
      .execute();
    const factSets = rows.map((row) => ({ id: row.id, plugin, facts: textOfFacts(row) }));
    await insertValues(transaction, memory, factSets);
    const pairs = await inChunks(
      rows.map(({ id }) => id),
      (part) => query.selectFrom('changes').select(['before', 'after']).where('after', 'in', part).execute(),
    );
    await writeDifferences(transaction, memory, pairs);
    last = rows.at(-1)?.id ?? last;
    more = rows.length === pageSize;
  }
}

function identityOf(declaration: Declaration): string {
  return hash('sha256', JSON.stringify(declaration.facts), 'base64url');
}
