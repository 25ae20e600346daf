/** latest-results: what each plugin of a host told last when it was successful, now or by a moment in the past. */
import { sql } from 'kysely';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { hostPlugin } from './digest.ts';
import { newestReport } from './host-moment.ts';
import type { ResultRow } from './index-store.ts';
import { measuredOf, readStoredContents } from './stored-results.ts';
import type { StoredUuid } from './tables.ts';

/** Where a plugin's latest result is: the report's content and what it measured. */
type Latest = { uuid: StoredUuid; plugin: string; content: number | null; measured: string | null };

/** @param asOf milliseconds since 1970; null for now */
export async function latestResults(
  database: Database,
  hostIds: readonly string[],
  asOf: number | null,
): Promise<ResultRow[][]> {
  const rows = await inChunks(hostIds, (part) =>
    asOf === null ? latestNow(database, part) : latestBy(database, part, asOf),
  );
  const contents = await readStoredContents(
    database,
    rows.flatMap(({ content }) => content ?? []),
  );
  const byHost = new Map<string, ResultRow[]>(hostIds.map((id) => [id, []]));
  for (const { uuid, plugin, content, measured } of rows) {
    if (content === null || measured === null) continue;
    const told = measuredOf(contents.get(content), measured).results.find(
      (result) => result.plugin === plugin && result.status === 'OK',
    );
    if (told) byHost.get(database.fromUuid(uuid))?.push(told);
  }
  return hostIds.map((id) => byHost.get(id) ?? []);
}

async function latestNow({ query, toUuid }: Database, ids: readonly string[]): Promise<Latest[]> {
  return query
    .selectFrom('hosts as h')
    .innerJoin('host_plugins as p', 'p.host', 'h.id')
    .innerJoin('reports as r', (join) => join.on(sql`r.id`, '=', sql`coalesce(p.report, h.report)`))
    .select(['h.uuid', 'p.plugin', 'r.content', 'r.measured'])
    .where('h.uuid', 'in', ids.map(toUuid))
    .where('p.plugin', '<>', hostPlugin)
    .orderBy('p.plugin')
    .execute();
}

/** In the newest report by then if that told the plugin, otherwise in the one that told these facts first. */
async function latestBy(
  { query, toUuid }: Database,
  ids: readonly string[],
  asOf: number,
): Promise<Latest[]> {
  const { rows } = await sql<Latest>`
    SELECT h.uuid, c.plugin, r.content, r.measured FROM hosts h
    JOIN changes c ON c.host = h.id AND c.at <= ${asOf} AND c.plugin <> ${hostPlugin}
      AND NOT EXISTS (SELECT 1 FROM changes n WHERE n.host = c.host AND n.plugin = c.plugin AND n.at <= ${asOf}
        AND n.at >= c.at AND (n.at, n.report) > (c.at, c.report) LIMIT 1 OFFSET 0)
    LEFT JOIN reports t ON t.id = ${newestReport(sql`h.id`, 'id', sql`${asOf}`)}
    LEFT JOIN content_results x ON x.content = t.content AND x.plugin = c.plugin AND x.status = 'OK'
    LEFT JOIN reports r ON r.id = CASE WHEN x.content IS NULL THEN c.report ELSE t.id END
    WHERE h.uuid IN (${sql.join(ids.map(toUuid))}) ORDER BY c.plugin`.execute(query);
  return rows;
}
