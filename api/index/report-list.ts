/**
 * report-list: lists and counts reports, walking the order of time or gathering from few hosts (see report-plan.ts).
 */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import type { ReportFilter } from './filter.ts';
import { type Condition, reportCondition } from './filter-condition.ts';
import type { Listing, ReportOrderField, Slice } from './index-store.ts';
import { type HostSpan, planReports } from './report-plan.ts';
import { sliceOf } from './slice.ts';
import type { Row } from './tables.ts';

const reportOrder = {
  COLLECTED_AT: 'r.collected_at',
  RECEIVED_AT: 'r.received_at',
} as const satisfies Record<ReportOrderField, string>;
/** Values of one statement; PostgreSQL allows 65,535, SQLite half of that. */
const maxParameters = 10_000;

export async function listReports(
  database: Database,
  { filter, order }: Listing<ReportFilter, ReportOrderField>,
  slice: Slice,
): Promise<Row<'reports'>[]> {
  if (slice.limit === 0) return [];
  const plan = await planReports(database, filter);
  const by = reportOrder[order.field];
  const cut = sliceOf(database, by, 'r.id', order.direction, slice);
  const condition = sql<boolean>`${reportCondition(database, filter)} AND ${cut.condition}`;
  const end = cut.order(sql.ref(by), sql.ref('r.id'));
  const columns = sql`r.id, r.host, r.collected_at, r.received_at, r.content, r.measured`;
  if (plan.kind === 'walk') {
    const { rows } = await sql<Row<'reports'>>`
      SELECT ${columns} FROM reports r WHERE ${having(plan.factSets)} AND ${condition} ${end}`.execute(
      database.query,
    );
    return cut.inOrder(rows);
  }
  const spans = await narrowed(database, plan.spans, order.field);
  const parts = spans.map(
    (span, number) => sql`SELECT * FROM (SELECT ${columns} FROM reports r
      WHERE r.host = ${span.host} AND ${within(span, by)} AND ${condition} ${end}) AS ${sql.raw(`p${number}`)}`,
  );
  const [name] = by.split('.').slice(-1);
  const perStatement = Math.max(1, Math.floor(maxParameters / parametersOf(database, parts[0])));
  const found: Row<'reports'>[] = [];
  for (let from = 0; from < parts.length; from += perStatement) {
    const union = sql.join(parts.slice(from, from + perStatement), sql` UNION ALL `);
    const { rows } = await sql<Row<'reports'>>`
      ${union} ${cut.order(sql.ref(name ?? by), sql.ref('id'))}`.execute(database.query);
    found.push(...rows);
  }
  if (parts.length > perStatement) sortBy(database, found, order.field, cut.descending);
  return cut.inOrder(found.slice(0, slice.limit));
}

function parametersOf({ query }: Database, part: RawBuilder<unknown> | undefined): number {
  return part ? Math.max(1, part.compile(query).parameters.length) : 1;
}

function sortBy(
  { fromUuid }: Database,
  rows: Row<'reports'>[],
  field: ReportOrderField,
  descending: boolean,
): void {
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
async function narrowed(
  { query }: Database,
  spans: readonly HostSpan[],
  field: ReportOrderField,
): Promise<readonly HostSpan[]> {
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

export async function countReports(database: Database, filter: ReportFilter | null): Promise<number> {
  const plan = await planReports(database, filter);
  let condition = reportCondition(database, filter, 'all');
  if (plan.kind === 'hosts') {
    if (plan.spans.length === 0) return 0;
    const hosts = sql.join(plan.spans.map(({ host }) => host));
    condition = sql`r.host IN (${hosts}) AND ${reportCondition(database, filter)}`;
  }
  const { rows } = await sql<{ n: number }>`
    SELECT count(*) AS n FROM reports r WHERE ${condition}`.execute(database.query);
  return Number(rows[0]?.n);
}

/** That a report has one of the fact sets. */
function having(factSets: readonly number[] | null): Condition {
  if (!factSets) return sql`1 = 1`;
  // The plus keeps SQLite from looking up each of them instead of the few results of the content.
  return sql`EXISTS (SELECT 1 FROM content_results s
    WHERE s.content = r.content AND +s.fact_set IN (${sql.join(factSets)}) LIMIT 1 OFFSET 0)`;
}

function within({ first, last }: HostSpan, by: string): Condition {
  const column = sql.ref(by);
  if (first === null) return sql`1 = 1`;
  return last === null ? sql`${column} >= ${first}` : sql`${column} BETWEEN ${first} AND ${last}`;
}
