/**
 * index-reader: answers questions from the index, in either dialect.
 */
import { type RawBuilder, sql } from 'kysely';
import type { PluginStatus } from '../log/stored-report.ts';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { HostFilter, ReportFilter } from './filter.ts';
import { type Condition, hostCondition, reportCondition } from './filter-condition.ts';
import type {
  Direction,
  HostOrderField,
  HostRow,
  IndexReader,
  Listing,
  Position,
  ReportOrderField,
  ReportRow,
  ResultRow,
  Slice,
} from './index-store.ts';
import { fewFactSets, type HostSpan, planReports } from './report-plan.ts';
import { type Json, joinShape } from './shape.ts';
import type { Row } from './tables.ts';

const reportOrder = {
  COLLECTED_AT: 'r.collected_at',
  RECEIVED_AT: 'r.received_at',
} as const satisfies Record<ReportOrderField, string>;
const hostOrder = {
  NAME: 'h.name',
  FIRST_SEEN_AT: 'h.first_seen_at',
  LAST_SEEN_AT: 'h.last_seen_at',
} as const satisfies Record<HostOrderField, string>;

/** Values of one statement; PostgreSQL allows 65,535, SQLite half of that. */
const maxParameters = 10_000;

type StoredReportRow = Omit<Row<'reports'>, 'measured'> & { measured: string };

export function makeIndexReader(database: Database): IndexReader {
  const { query, toUuid, fromUuid } = database;

  /** The pieces that put a list in order and cut a slice of it: by one column, then by id. */
  function sliced(by: string, id: string, direction: Direction, slice: Slice) {
    const { after, before, limit, fromEnd = false } = slice;
    const descending = direction === 'DESC';
    const [column, idColumn] = [sql.ref(by), sql.ref(id)];
    // The first column alone as well: that is what indexes are by.
    const past = ({ value, id: place }: Position, way: '<' | '>'): Condition =>
      sql`(${column} ${sql.raw(`${way}=`)} ${value}
        AND (${column}, ${idColumn}) ${sql.raw(way)} (${value}, ${toUuid(place)}))`;
    const bounds: Condition[] = [];
    if (after) bounds.push(past(after, descending ? '<' : '>'));
    if (before) bounds.push(past(before, descending ? '>' : '<'));
    const way = sql.raw(descending === fromEnd ? 'ASC' : 'DESC');
    return {
      condition: bounds.length === 0 ? sql<boolean>`1 = 1` : sql<boolean>`(${sql.join(bounds, sql` AND `)})`,
      order: (columnName: RawBuilder<unknown>, idName: RawBuilder<unknown>) =>
        sql`ORDER BY ${columnName} ${way}, ${idName} ${way} LIMIT ${sql.lit(limit)}`,
      descending: descending !== fromEnd,
      inOrder: <R>(rows: R[]) => (fromEnd ? rows.reverse() : rows),
    };
  }

  async function listReports(
    { filter, order }: Listing<ReportFilter, ReportOrderField>,
    slice: Slice,
  ): Promise<StoredReportRow[]> {
    if (slice.limit === 0) return [];
    const plan = await planReports(database, filter);
    const by = reportOrder[order.field];
    const cut = sliced(by, 'r.id', order.direction, slice);
    const condition = sql<boolean>`${reportCondition(database, filter)} AND ${cut.condition}`;
    const end = cut.order(sql.ref(by), sql.ref('r.id'));
    const columns = sql`r.id, r.host, r.collected_at, r.received_at, r.content, r.measured`;
    if (plan.kind === 'walk') {
      const { rows } = await sql<StoredReportRow>`
        SELECT ${columns} FROM reports r WHERE ${having(plan.factSets)} AND ${condition} ${end}`.execute(
        query,
      );
      return cut.inOrder(rows);
    }
    const spans = await narrowed(plan.spans, order.field);
    const parts = spans.map(
      (span, number) => sql`SELECT * FROM (SELECT ${columns} FROM reports r
        WHERE r.host = ${span.host} AND ${within(span, by)} AND ${condition} ${end}) AS ${sql.raw(`p${number}`)}`,
    );
    const [name] = by.split('.').slice(-1);
    const perStatement = Math.max(1, Math.floor(maxParameters / parametersOf(parts[0])));
    const found: StoredReportRow[] = [];
    for (let from = 0; from < parts.length; from += perStatement) {
      const union = sql.join(parts.slice(from, from + perStatement), sql` UNION ALL `);
      const { rows } = await sql<StoredReportRow>`
        ${union} ${cut.order(sql.ref(name ?? by), sql.ref('id'))}`.execute(query);
      found.push(...rows);
    }
    if (parts.length > perStatement) sortBy(found, order.field, cut.descending);
    return cut.inOrder(found.slice(0, slice.limit));
  }

  function parametersOf(part: RawBuilder<unknown> | undefined): number {
    return part ? Math.max(1, part.compile(query).parameters.length) : 1;
  }

  function sortBy(rows: StoredReportRow[], field: ReportOrderField, descending: boolean): void {
    const column = field === 'COLLECTED_AT' ? 'collected_at' : 'received_at';
    rows.sort((a, b) => {
      const order = a[column] - b[column] || (fromUuid(a.id) < fromUuid(b.id) ? -1 : 1);
      return descending ? -order : order;
    });
  }

  /**
   * Spans whose end can be relied on. told_at is never after collected_at or received_at, so their beginnings hold
   * for both; their ends hold for collected_at where the host's clock never ran ahead, and for received_at never.
   */
  async function narrowed(spans: readonly HostSpan[], field: ReportOrderField): Promise<readonly HostSpan[]> {
    if (spans.every(({ last }) => last === null)) return spans;
    if (field === 'RECEIVED_AT') return spans.map((span) => ({ ...span, last: null }));
    const rows = await query
      .selectFrom('reports')
      .select('host')
      .distinct()
      .where(
        'host',
        'in',
        spans.map(({ host }) => host),
      )
      .whereRef('collected_at', '>', 'received_at')
      .execute();
    const ahead = new Set(rows.map(({ host }) => host));
    return spans.map((span) => (ahead.has(span.host) ? { ...span, last: null } : span));
  }

  /** Host uuids by their numbers. */
  async function hostUuids(ids: Iterable<number>): Promise<Map<number, string>> {
    const rows = await inChunks(new Set(ids), (part) =>
      query.selectFrom('hosts').select(['id', 'uuid']).where('id', 'in', part).execute(),
    );
    return new Map(rows.map(({ id, uuid }) => [id, fromUuid(uuid)]));
  }

  async function readContents(ids: Iterable<number>): Promise<Map<number, StoredContent>> {
    const distinct = new Set(ids);
    const rows = await inChunks(distinct, (part) =>
      query
        .selectFrom('content_results as x')
        .leftJoin('fact_sets as f', 'f.id', 'x.fact_set')
        .select(['x.content', 'x.plugin', 'x.version', 'x.status', 'x.error', 'x.shape', 'f.facts'])
        .where('x.content', 'in', part)
        .orderBy('x.content')
        .orderBy('x.position')
        .execute(),
    );
    const agents = await inChunks(distinct, (part) =>
      query.selectFrom('contents').select(['id', 'agent_version']).where('id', 'in', part).execute(),
    );
    const contents = new Map<number, StoredContent>(
      agents.map(({ id, agent_version: agentVersion }) => [id, { agentVersion, results: [] }]),
    );
    for (const { content, facts, shape, status, ...row } of rows) {
      contents.get(content)?.results.push({
        ...row,
        status: status as PluginStatus,
        facts: facts === null ? null : JSON.parse(facts),
        shape: shape === null ? null : JSON.parse(shape),
      });
    }
    return contents;
  }

  async function withResults(rows: readonly StoredReportRow[]): Promise<ReportRow[]> {
    const [hosts, contents] = await Promise.all([
      hostUuids(rows.map(({ host }) => host)),
      readContents(rows.map(({ content }) => content)),
    ]);
    return rows.map((row) => {
      const content = contents.get(row.content);
      return {
        id: fromUuid(row.id),
        hostId: hosts.get(row.host) ?? '',
        agentVersion: content?.agentVersion ?? null,
        collectedAt: row.collected_at,
        receivedAt: row.received_at,
        results: resultsOf(content, row.measured),
      };
    });
  }

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
      const byId = new Map((await withResults(rows)).map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    },
    async reports(listing, slice) {
      return withResults(await listReports(listing, slice));
    },
    async countReports(filter) {
      const plan = await planReports(database, filter);
      const within =
        plan.kind === 'walk'
          ? having(plan.factSets)
          : plan.spans.length === 0
            ? sql<boolean>`1 = 0`
            : sql<boolean>`r.host IN (${sql.join(plan.spans.map(({ host }) => host))})`;
      const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM reports r
        WHERE ${within} AND ${reportCondition(database, filter)}`.execute(query);
      return Number(rows[0]?.n);
    },
    async hosts({ filter, order }, slice) {
      if (slice.limit === 0) return [];
      const by = hostOrder[order.field];
      const cut = sliced(by, 'h.uuid', order.direction, slice);
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
      const contents = await readContents(rows.map(({ content }) => content));
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

type StoredContent = {
  agentVersion: string | null;
  results: (Omit<ResultRow, 'durationMs' | 'readings'> & { shape: Json })[];
};

/** That a report has one of the fact sets. */
function having(factSets: readonly number[] | null): Condition {
  if (!factSets) return sql`1 = 1`;
  return sql`EXISTS (SELECT 1 FROM content_results s
    WHERE s.content = r.content AND s.fact_set IN (${sql.join(factSets)}) LIMIT 1 OFFSET 0)`;
}

function within({ first, last }: HostSpan, by: string): Condition {
  const column = sql.ref(by);
  if (first === null) return sql`1 = 1`;
  return last === null ? sql`${column} >= ${first}` : sql`${column} BETWEEN ${first} AND ${last}`;
}

/** Puts what stays the same and what was measured together again. */
function resultsOf(content: StoredContent | undefined, measured: string): ResultRow[] {
  const values = (JSON.parse(`[${measured}]`) as Json[])[Symbol.iterator]();
  return (content?.results ?? []).map(({ shape, ...result }) => {
    const durationMs = values.next().value as number | null;
    return { ...result, durationMs, readings: shape === null ? null : joinShape(shape, values) };
  });
}
