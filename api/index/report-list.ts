/**
 * report-list: lists and counts reports, walking the order of time or gathering from few hosts (see report-plan.ts).
 */
import { sql } from 'kysely';
import { isAmong } from './among.ts';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { ReportFilter } from './filter.ts';
import { reportCondition } from './filter-condition.ts';
import { gatherEach, gatherReports, type HostSpan, inOrder } from './gather.ts';
import { conjuncts } from './host-plan.ts';
import type { ReportCount, ReportCountUnit, ReportListing, ReportOrderField, Slice } from './index-store.ts';
import { planReports, type ReportPlan } from './report-plan.ts';
import { sliceOf } from './slice.ts';
import type { Row } from './tables.ts';
import { all, type Condition } from './test-condition.ts';

const reportOrder = {
  COLLECTED_AT: 'collected_at',
  RECEIVED_AT: 'received_at',
} as const satisfies Record<ReportOrderField, string>;

export async function listReports(
  database: Database,
  listing: ReportListing,
  slice: Slice,
): Promise<Row<'reports'>[]> {
  if (slice.limit === 0) return [];
  const plan = await planReports(database, listing.filter);
  const cut = cutOf(database, listing, slice);
  // A page deep in what many hosts tell is met soon on the way, and would be looked for in each of them.
  const isDeep = Boolean(slice.after ?? slice.before) || !cut.descending || cut.by === 'received_at';
  if (plan.kind === 'walk') return cut.inOrder(await walk(database, listing, cut, plan));
  if (isDeep && plan.spans.length > maxGatheredDeep) {
    const hosts = plan.spans.map(({ host }) => host);
    return cut.inOrder(await walk(database, listing, cut, { factSets: null, hosts, mayBeRare: false }));
  }
  const spans = await spansBy(database, plan.spans, cut.by);
  const contents = await passingContents(database, listing.filter, spans);
  if (contents?.length === 0) return [];
  const condition = contents
    ? sql<boolean>`${isAmong(database, sql`r.content`, contents)} AND ${cut.condition}`
    : cut.condition;
  return cut.inOrder(await gatherReports(database, spans, { ...cut, condition }));
}

/** With more, walking finds a page sooner: one in a hundred hosts of ten thousand. */
const maxGatheredDeep = 100;

/** The same stretch of the list of each host, by the hosts' numbers. */
export async function listReportsOf(
  database: Database,
  hosts: readonly number[],
  listing: ReportListing,
  slice: Slice,
): Promise<Map<number, Row<'reports'>[]>> {
  if (slice.limit === 0) return new Map();
  const cut = cutOf(database, listing, slice);
  const whole = hosts.map((host): HostSpan => ({ host, first: null, last: null, newest: null }));
  const rows = await gatherEach(database, whole, cut);
  return new Map(
    [...Map.groupBy(rows, ({ host }) => host)].map(([host, own]) => [
      host,
      cut.inOrder(inOrder(database, own, cut)),
    ]),
  );
}

const columns = sql`r.id, r.host, r.collected_at, r.received_at, r.content, r.measured`;

type Cut = ReturnType<typeof cutOf>;

function cutOf(database: Database, { filter, order }: ReportListing, slice: Slice) {
  const by = reportOrder[order.field];
  const column = { value: sql.ref(`r.${by}`), id: sql.ref('r.id') };
  const cut = sliceOf(database, column, order.direction, slice);
  return {
    ...cut,
    by,
    limit: slice.limit,
    within: cut.condition,
    condition: sql<boolean>`${database.checkpoint(sql`r.received_at`)}
      AND ${reportCondition(database, filter)} AND ${cut.condition}`,
    end: cut.order(column.value, column.id),
  };
}

type Walk = Omit<Extract<ReportPlan, { kind: 'walk' }>, 'kind'>;

/** So many reports are walked for a rare answer before the contents that pass are found out, which takes as long. */
const mostWalked = 20_000;

async function walk(
  database: Database,
  { filter }: ReportListing,
  cut: Cut,
  { factSets, hosts, mayBeRare }: Walk,
): Promise<Row<'reports'>[]> {
  const { by, within, condition, end, descending, limit } = cut;
  const few = having(database, factSets, hosts);
  const walkOf = async (conditions: Condition): Promise<Row<'reports'>[]> => {
    const { rows } = await sql<Row<'reports'>>`
      SELECT ${columns} FROM reports r WHERE ${few} AND ${conditions} ${end}`.execute(database.query);
    return rows;
  };
  const bound = mayBeRare ? await turningPoint(database, cut) : null;
  if (bound === null) return walkOf(condition);
  const near = sql<boolean>`${sql.ref(`r.${by}`)} ${sql.raw(descending ? '>=' : '<=')} ${bound}`;
  const rows = await walkOf(sql`${near} AND ${condition}`);
  if (rows.length === limit) return rows;
  const check = database.checkpoint(sql`r.received_at`);
  return walkOf(sql`${check} AND ${reportCondition(database, filter, 'all')} AND ${within}`);
}

/** When the last of so many reports is, in the order that is walked; null where there are fewer. */
async function turningPoint(database: Database, { by, within, descending }: Cut): Promise<number | null> {
  const value = sql.ref(`r.${by}`);
  const { rows } = await sql<{ at: number }>`SELECT ${value} AS at FROM reports r WHERE ${within}
    ORDER BY ${value} ${sql.raw(descending ? 'DESC' : 'ASC')} LIMIT 1 OFFSET ${sql.lit(mostWalked)}`.execute(
    database.query,
  );
  return rows[0]?.at ?? null;
}

/**
 * Stretches of told_at as ones of what is listed by. told_at is never after collected_at or received_at, so their
 * beginnings hold for both; their ends hold for collected_at where the host's clock never ran ahead, and for received_at
 * never.
 */
async function spansBy(
  database: Database,
  spans: readonly HostSpan[],
  by: 'collected_at' | 'received_at',
): Promise<readonly HostSpan[]> {
  const open = (span: HostSpan): HostSpan => ({ ...span, last: null, newest: null });
  if (by === 'received_at') return spans.map(open);
  if (spans.every(({ last, newest }) => last === null && newest === null)) return spans;
  const hosts = spans.map(({ host }) => host);
  const { rows } = await sql<{ host: number }>`SELECT DISTINCT r.host FROM reports r
    WHERE ${isAmong(database, sql`r.host`, hosts)} AND r.collected_at > r.received_at`.execute(
    database.query,
  );
  const ahead = new Set(rows.map(({ host }) => host));
  return spans.map((span) => (ahead.has(span.host) ? open(span) : span));
}

/**
 * Of the hosts' contents those that can pass, where several things are asked that only together are rare: there is one for a
 * hundred reports.
 *
 * @returns null where it is not worth finding out
 */
async function passingContents(
  database: Database,
  filter: ReportFilter | null,
  spans: readonly HostSpan[],
): Promise<number[] | null> {
  const parts = conjuncts(filter).filter(isOfContent);
  if (parts.length < 2 || spans.length > maxGatheredDeep) return null;
  const hosts = spans.map(({ host }) => host);
  const { rows } = await sql<{ id: number }>`SELECT r.content AS id
    FROM (SELECT c.id AS content FROM contents c WHERE ${isAmong(database, sql`c.host`, hosts)}) r
    WHERE ${reportCondition(database, { kind: 'and', filters: parts })}`.execute(database.query);
  return rows.map(({ id }) => id);
}

/** Whether all reports of a content pass, or none. */
function isOfContent(filter: ReportFilter): boolean {
  switch (filter.kind) {
    case 'facts':
    case 'result':
      return true;
    case 'not':
      return isOfContent(filter.filter);
    case 'and':
    case 'or':
      return filter.filters.every(isOfContent);
    default:
      return false;
  }
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
  const hosts = plan.spans.map(({ host }) => host);
  const condition = reportCondition(database, filter, hosts.length > maxGatheredDeep ? 'all' : 'few');
  return sql`${check} AND ${isAmong(database, sql`r.host`, hosts)} AND ${condition}`;
}

/** That a report is of one of the hosts, and has one of the fact sets. */
function having(
  database: Database,
  factSets: readonly number[] | null,
  hosts: readonly number[] | null,
): Condition {
  const conditions: Condition[] = [];
  // The plus keeps SQLite from looking up each of them: it walks, and looks at the few results of a content.
  if (hosts) conditions.push(isAmong(database, sql`+r.host`, hosts));
  if (factSets) {
    conditions.push(sql`EXISTS (SELECT 1 FROM content_results s
      WHERE s.content = r.content AND ${isAmong(database, sql`+s.fact_set`, factSets)} LIMIT 1 OFFSET 0)`);
  }
  return all(conditions);
}
