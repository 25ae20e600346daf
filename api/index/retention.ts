/**
 * retention: lets the index forget reports that were received before an instant, and what only they told.
 *
 * What a host is now stays as long as it reports, and so do the changes that are still in force. In small
 * transactions, so that reports can be taken in between.
 */
import { sql } from 'kysely';
import { inChunks } from './chunks.ts';
import type { Database, Transaction } from './database.ts';
import { forgetUnlinked } from './fact-sets.ts';
import { recomputeHost } from './host-rows.ts';
import type { IndexWriter } from './index-writer.ts';
import type { WriterMemory } from './writer-memory.ts';

/** Reports of one transaction. */
const batchSize = 2_000;

/** @returns how many reports were removed */
export async function forgetReports(
  database: Database,
  writer: IndexWriter,
  before: number,
): Promise<number> {
  let removed = 0;
  for (let more = true; more; ) {
    const count = await writer.change((transaction, memory) => {
      // Numbers of contents and fact sets that go must not be used again.
      memory.clear();
      return forgetBatch(database, transaction, memory, before);
    });
    removed += count;
    more = count === batchSize;
  }
  if (removed > 0) {
    await writer.change(async (transaction, memory) => {
      memory.clear();
      await forgetHistory(transaction, before);
      await forgetUnlinked(transaction, memory);
    });
  }
  return removed;
}

async function forgetBatch(
  database: Database,
  transaction: Transaction,
  memory: WriterMemory,
  before: number,
): Promise<number> {
  const { query } = transaction;
  const reports = await query
    .selectFrom('reports')
    .select(['id', 'host', 'content'])
    .where('received_at', '<', before)
    .orderBy('received_at')
    .limit(batchSize)
    .execute();
  if (reports.length === 0) return 0;
  await inChunks(reports, (part) =>
    query
      .deleteFrom('reports')
      .where(
        'id',
        'in',
        part.map(({ id }) => id),
      )
      .execute(),
  );
  await forgetHosts(
    database,
    transaction,
    memory,
    reports.map(({ host }) => host),
  );
  // A content is one host's, so its other reports are where to look for it.
  const contents = await inChunks(new Set(reports.map(({ content }) => content)), (part) =>
    query
      .selectFrom('contents as c')
      .select('c.id')
      .where('c.id', 'in', part)
      .where(sql<boolean>`NOT EXISTS (SELECT 1 FROM reports r WHERE r.host = c.host AND r.content = c.id)`)
      .execute(),
  );
  await forgetContents(
    transaction,
    contents.map(({ id }) => id),
  );
  return reports.length;
}

/** Computes anew the hosts whose newest report went: mostly there is no other, and they go as well. */
async function forgetHosts(
  database: Database,
  transaction: Transaction,
  memory: WriterMemory,
  hosts: number[],
): Promise<void> {
  const orphans = await inChunks(new Set(hosts), (part) =>
    transaction.query
      .selectFrom('hosts as h')
      .select(['h.id', 'h.uuid'])
      .where('h.id', 'in', part)
      .where(sql<boolean>`NOT EXISTS (SELECT 1 FROM reports r WHERE r.id = h.report)`)
      .execute(),
  );
  for (const { id, uuid } of orphans) {
    await recomputeHost(database, transaction, memory, { id, uuid: database.fromUuid(uuid) });
  }
}

async function forgetContents({ query }: Transaction, ids: number[]): Promise<void> {
  await inChunks(ids, async (part) => {
    await query.deleteFrom('content_results').where('content', 'in', part).execute();
    await query.deleteFrom('contents').where('id', 'in', part).execute();
    return [];
  });
}

/** What no report and no change still in force refers to. */
async function forgetHistory({ query }: Transaction, before: number): Promise<void> {
  await sql`DELETE FROM host_plugins WHERE report IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.id = host_plugins.report)`.execute(query);
  await sql`DELETE FROM changes WHERE at < ${before} AND EXISTS (SELECT 1 FROM changes n
    WHERE n.host = changes.host AND n.plugin = changes.plugin AND n.at <= ${before}
      AND (n.at, n.report) > (changes.at, changes.report))`.execute(query);
  // Told before, but perhaps in a report that came late and is still here.
  await sql`DELETE FROM host_fact_sets WHERE last_at < ${before} AND NOT EXISTS (
    SELECT 1 FROM reports r JOIN content_results x ON x.content = r.content
    WHERE r.host = host_fact_sets.host AND r.collected_at <= host_fact_sets.last_at
      AND x.fact_set = host_fact_sets.fact_set)`.execute(query);
  const orphans = sql`SELECT f.id FROM fact_sets f
    WHERE NOT EXISTS (SELECT 1 FROM content_results x WHERE x.fact_set = f.id)
      AND NOT EXISTS (SELECT 1 FROM host_plugins p WHERE p.fact_set = f.id)
      AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.after = f.id)
      AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.before = f.id)`;
  await sql`DELETE FROM differences WHERE before IN (${orphans}) OR after IN (${orphans})`.execute(query);
  await sql`DELETE FROM fact_values WHERE fact_set IN (${orphans})`.execute(query);
  await sql`DELETE FROM fact_set_blocks WHERE fact_set IN (${orphans})`.execute(query);
  await sql`DELETE FROM fact_sets WHERE id IN (${orphans})`.execute(query);
}
