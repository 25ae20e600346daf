/**
 * report-list: lists and counts reports, walking the order of time or gathering from few hosts (see report-plan.ts).
 */
import { type RawBuilder, sql } from 'kysely';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { ReportFilter } from './filter.ts';
import { reportCondition } from './filter-condition.ts';
import type { ReportCount, ReportCountUnit, ReportListing, ReportOrderField, Slice } from './index-store.ts';
import { type HostSpan, planReports, type ReportPlan } from './report-plan.ts';
import { sliceOf } from './slice.ts';
import type { Row } from './tables.ts';
import { all, type Condition } from './test-condition.ts';

const reportOrder = {
  COLLECTED_AT: 'r.collected_at',
  RECEIVED_AT: 'r.received_at',
} as const satisfies Record<ReportOrderField, string>;
/** Values of one statement; PostgreSQL allows 65,535, SQLite half of that. */
const maxParameters = 10_000;

export async function listReports(
  database: Database,
  { filter, order }: ReportListing,
  slice: Slice,
): Promise<Row<'reports'>[]> {
  if (slice.limit === 0) return [];
  const plan = await planReports(database, filter);
  const by = reportOrder[order.field];
  const cut = cutOf(database, { filter, order }, slice);
  const { condition, end } = cut;
  if (plan.kind === 'walk') {
    const { rows } = await sql<Row<'reports'>>`
      SELECT ${columns} FROM reports r WHERE ${having(plan)} AND ${condition} ${end}`.execute(database.query);
    return cut.inOrder(rows);
  }
  const spans = await narrowed(database, plan.spans, order.field);
  const parts = spans.map((span, number) => partOf(span, number, by, cut));
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

/** The same stretch of the list of each host, by the hosts' numbers. */
export async function listReportsOf(
  database: Database,
  hosts: readonly number[],
  listing: ReportListing,
  slice: Slice,
): Promise<Map<number, Row<'reports'>[]>> {
  if (slice.limit === 0) return new Map();
  const by = reportOrder[listing.order.field];
  const cut = cutOf(database, listing, slice);
  const rows = await inChunks(
    hosts,
    async (part) => {
      const parts = part.map((host, number) => partOf({ host, first: null, last: null }, number, by, cut));
      const found = await sql<Row<'reports'>>`${sql.join(parts, sql` UNION ALL `)}`.execute(database.query);
      return found.rows;
    },
    hostsPerStatement,
  );
  return new Map([...Map.groupBy(rows, ({ host }) => host)].map(([host, own]) => [host, cut.inOrder(own)]));
}

/** SQLite joins 500 queries at most. */
const hostsPerStatement = 200;

const columns = sql`r.id, r.host, r.collected_at, r.received_at, r.content, r.measured`;

type Cut = ReturnType<typeof cutOf>;

function cutOf(database: Database, { filter, order }: ReportListing, slice: Slice) {
  const by = { value: sql.ref(reportOrder[order.field]), id: sql.ref('r.id') };
  const cut = sliceOf(database, by, order.direction, slice);
  return {
    ...cut,
    condition: sql<boolean>`${database.checkpoint(sql`r.received_at`)}
      AND ${reportCondition(database, filter)} AND ${cut.condition}`,
    end: cut.order(by.value, by.id),
  };
}

/** The stretch of one host, as one of several queries that are joined. */
function partOf(span: HostSpan, number: number, by: string, { condition, end }: Cut): RawBuilder<unknown> {
  return sql`SELECT * FROM (SELECT ${columns} FROM reports r
    WHERE r.host = ${span.host} AND ${within(span, by)} AND ${condition} ${end}) AS ${sql.raw(`p${number}`)}`;
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
  const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM reports r
    WHERE ${await ofAll(database, filter)}`.execute(database.query);
  return Number(rows[0]?.n);
}

/** By the hosts' numbers; those without any are left out. */
export async function countReportsOf(
  database: Database,
  hosts: readonly number[],
  filter: ReportFilter | null,
): Promise<Map<number, number>> {
  const rows = await inChunks(hosts, async (part) => {
    const found = await sql<{ host: number; n: number }>`SELECT r.host, count(*) AS n FROM reports r
      WHERE r.host IN (${sql.join(part)}) AND ${reportCondition(database, filter)} GROUP BY r.host`.execute(
      database.query,
    );
    return found.rows;
  });
  return new Map(rows.map(({ host, n }) => [host, Number(n)]));
}

const unitMs: Record<ReportCountUnit, number> = { HOUR: 3_600_000, DAY: 86_400_000 };

export async function countReportsBy(
  database: Database,
  filter: ReportFilter | null,
  unit: ReportCountUnit,
): Promise<ReportCount[]> {
  const ms = unitMs[unit];
  const { rows } = await sql<{ unit: number; n: number }>`
    SELECT r.collected_at / ${sql.lit(ms)} AS unit, count(*) AS n FROM reports r
    WHERE ${await ofAll(database, filter)} GROUP BY 1 ORDER BY 1`.execute(database.query);
  return rows.map(({ unit: number, n }) => ({ at: Number(number) * ms, reports: Number(n) }));
}

/** A condition on `reports r` that is asked of all of them. */
async function ofAll(database: Database, filter: ReportFilter | null): Promise<Condition> {
  const plan = await planReports(database, filter);
  const check = database.checkpoint(sql`r.received_at`);
  if (plan.kind === 'walk') return sql`${check} AND ${reportCondition(database, filter, 'all')}`;
  if (plan.spans.length === 0) return sql`1 = 0`;
  const hosts = sql.join(plan.spans.map(({ host }) => host));
  return sql`${check} AND r.host IN (${hosts}) AND ${reportCondition(database, filter)}`;
}

/** That a report is of one of the hosts, and has one of the fact sets. */
function having({ factSets, hosts }: Extract<ReportPlan, { kind: 'walk' }>): Condition {
  const conditions: Condition[] = [];
  // The plus keeps SQLite from looking up each of them: it walks, and looks at the few results of a content.
  if (hosts) conditions.push(sql`+r.host IN (${sql.join(hosts)})`);
  if (factSets) {
    conditions.push(sql`EXISTS (SELECT 1 FROM content_results s
      WHERE s.content = r.content AND +s.fact_set IN (${sql.join(factSets)}) LIMIT 1 OFFSET 0)`);
  }
  return all(conditions);
}

function within({ first, last }: HostSpan, by: string): Condition {
  const column = sql.ref(by);
  if (first === null) return sql`1 = 1`;
  return last === null ? sql`${column} >= ${first}` : sql`${column} BETWEEN ${first} AND ${last}`;
}
