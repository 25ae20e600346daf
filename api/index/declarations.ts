/** declarations: keeps the comparable values in step with the plugins' declarations, which change with versions. */
import { hash } from 'node:crypto';
import { type Declarations, insertValues } from './catalog.ts';
import type { Transaction } from './database.ts';
import type { Declaration } from './flatten.ts';
import type { IndexWriter } from './index-writer.ts';
import type { WriterMemory } from './writer-memory.ts';

/** Fact sets taken apart at once. */
const pageSize = 1_000;

/** Compares anew what is stored of plugins whose declaration is not the one that it was taken apart with. */
export async function followDeclarations(writer: IndexWriter, declarations: Declarations): Promise<void> {
  await writer.change(async (transaction, memory) => {
    const { query, insert } = transaction;
    const before = new Map(
      (await query.selectFrom('plugins').selectAll().execute()).map((row) => [row.name, row.declaration]),
    );
    // What comes in while a plugin is not known is not taken apart: when it returns, all of it has to be.
    const gone = [...before.keys()].filter((name) => !declarations.has(name));
    if (gone.length > 0) await query.deleteFrom('plugins').where('name', 'in', gone).execute();
    for (const declaration of declarations.values()) {
      const identity = identityOf(declaration);
      if (before.get(declaration.name) === identity) continue;
      await takeApart(transaction, memory, declarations, declaration.name);
      await insert('plugins', ['name', 'declaration'], [[declaration.name, identity]], {
        set: ['declaration'],
      });
    }
  });
}

async function takeApart(
  transaction: Transaction,
  memory: WriterMemory,
  declarations: Declarations,
  plugin: string,
): Promise<void> {
  const { query } = transaction;
  await query
    .deleteFrom('fact_values')
    .where('fact_set', 'in', query.selectFrom('fact_sets').select('id').where('plugin', '=', plugin))
    .execute();
  for (let last = 0, more = true; more; ) {
    const rows = await query
      .selectFrom('fact_sets')
      .select(['id', 'facts'])
      .where('plugin', '=', plugin)
      .where('id', '>', last)
      .orderBy('id')
      .limit(pageSize)
      .execute();
    const factSets = rows.map((row) => ({ ...row, plugin }));
    await insertValues(transaction, memory, declarations, factSets);
    last = rows.at(-1)?.id ?? last;
    more = rows.length === pageSize;
  }
}

function identityOf(declaration: Declaration): string {
  return hash('sha256', JSON.stringify(declaration.facts), 'base64url');
}
