/**
 * index-reader: answers questions from the index, in either dialect.
 */
import { sql } from 'kysely';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { HostFilter } from './filter.ts';
import { type Condition, hostCondition } from './filter-condition.ts';
import type { HostOrderField, HostRow, IndexReader, ResultRow } from './index-store.ts';
import { countReports, listReports } from './report-list.ts';
import { fewFactSets } from './report-plan.ts';
import { sliceOf } from './slice.ts';
import { readStoredContents, resultsOf, withResults } from './stored-results.ts';

const hostOrder = {
  NAME: 'h.name',
  FIRST_SEEN_AT: 'h.first_seen_at',
  LAST_SEEN_AT: 'h.last_seen_at',
} as const satisfies Record<HostOrderField, string>;

export function makeIndexReader(database: Database): IndexReader {
  const { query, toUuid, fromUuid } = database;

  const hosts = query
    .selectFrom('hosts as h')
    .innerJoin('contents as c', 'c.id', 'h.content')
    .select([
      'h.uuid',
      'h.name',
      'h.first_seen_at',
      'h.last_seen_at',
      'c.labels',
      'c.agent_version',
      'c.interval_seconds',
    ]);

  const toHost = (row: Awaited<ReturnType<typeof hosts.execute>>[number]): HostRow => ({
    id: fromUuid(row.uuid),
    name: row.name,
    labels: JSON.parse(row.labels),
    agentVersion: row.agent_version,
    intervalSeconds: row.interval_seconds,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  });

  /** What the filter says, and where its answer is rare also which hosts to look at. */
  async function whichHosts(filter: HostFilter | null): Promise<Condition> {
    const conditions = [hostCondition(database, filter)];
    const parts = filter?.kind === 'and' ? filter.filters : filter ? [filter] : [];
    for (const part of parts) {
      if (part.kind !== 'facts') continue;
      const factSets = await fewFactSets(database, part.conditions);
      if (!factSets) continue;
      if (factSets.length === 0) return sql`1 = 0`;
      conditions.push(
        sql`h.id IN (SELECT s.host FROM host_plugins s WHERE s.fact_set IN (${sql.join(factSets)}))`,
      );
    }
    return sql`(${sql.join(conditions, sql` AND `)})`;
  }

  return {
    async reportsById(ids) {
      const rows = await inChunks(ids, (part) =>
        query.selectFrom('reports').selectAll().where('id', 'in', part.map(toUuid)).execute(),
      );
      if (rows.length === 0) return ids.map(() => null);
      const byId = new Map((await withResults(database, rows)).map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    },
    async reports(listing, slice) {
      return withResults(database, await listReports(database, listing, slice));
    },
    countReports: (filter) => countReports(database, filter),
    async hosts({ filter, order }, slice) {
      if (slice.limit === 0) return [];
      const by = hostOrder[order.field];
      const cut = sliceOf(database, by, 'h.uuid', order.direction, slice);
      const way = cut.descending ? 'desc' : 'asc';
      const rows = await hosts
        .where(await whichHosts(filter))
        .where(cut.condition)
        .orderBy(by, way)
        .orderBy('h.uuid', way)
        .limit(slice.limit)
        .execute();
      return cut.inOrder(rows.map(toHost));
    },
    async countHosts(filter) {
      const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM hosts h
        WHERE ${await whichHosts(filter)}`.execute(query);
      return Number(rows[0]?.n);
    },
    async hostsById(ids) {
      const rows = await inChunks(ids, (part) => hosts.where('h.uuid', 'in', part.map(toUuid)).execute());
      const byId = new Map(rows.map(toHost).map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    },
    async latestResults(hostIds) {
      const rows = await inChunks(hostIds, (part) =>
        query
          .selectFrom('hosts as h')
          .innerJoin('host_plugins as p', 'p.host', 'h.id')
          .innerJoin('reports as r', (join) => join.on(sql`r.id`, '=', sql`coalesce(p.report, h.report)`))
          .select(['h.uuid', 'p.plugin', 'r.content', 'r.measured'])
          .where('h.uuid', 'in', part.map(toUuid))
          .orderBy('p.plugin')
          .execute(),
      );
      const contents = await readStoredContents(
        database,
        rows.map(({ content }) => content),
      );
      const byHost = new Map<string, ResultRow[]>(hostIds.map((id) => [id, []]));
      for (const { uuid, plugin, content, measured } of rows) {
        const told = resultsOf(contents.get(content), measured).find(
          (result) => result.plugin === plugin && result.status === 'OK',
        );
        if (told) byHost.get(fromUuid(uuid))?.push(told);
      }
      return hostIds.map((id) => byHost.get(id) ?? []);
    },
    async ping() {
      await query.selectFrom('meta').select('name').limit(1).execute();
    },
  };
}
