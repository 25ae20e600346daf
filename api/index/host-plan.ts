/**
 * host-plan: which hosts to look at for a filter, where its answer is rare.
 *
 * The questions that find this out are bounded themselves.
 */
import { type RawBuilder, sql } from 'kysely';
import { isAmong } from './among.ts';
import type { Database } from './database.ts';
import { hostPathRoot, hostPlugin } from './digest.ts';
import { necessaryLeaves, pathId, valueTests } from './fact-condition.ts';
import type { FactCondition, HostFilter, ReportFilter, Test } from './filter.ts';
import { hostCondition } from './filter-condition.ts';
import { hostsAt } from './host-moment.ts';
import { all, allTests, type Condition, isOneOf, startTests } from './test-condition.ts';

/** With more, an order of hosts or of time is walked, and each row is asked whether it is of one of them. */
const maxListed = 200;
/** Of those that failed: with more, walking finds a page sooner. */
const maxFailed = 100;
/** What so few hosts have told in years, and what one statement can be given. */
const maxFactSets = 500;

/**
 * What the filter says of `hosts h`, and where its answer is rare also which hosts to look at.
 *
 * @param asked of few of them, as for a page in some order; or of all, as for a count
 */
export async function whichHosts(
  database: Database,
  filter: HostFilter | null,
  asOf: number | null,
  asked: 'few' | 'all',
): Promise<Condition> {
  const moment = hostsAt(asOf);
  const conditions: Condition[] = [database.checkpoint(sql`h.id`)];
  for (const part of conjuncts(filter)) {
    const hosts = await hostsOf(database, part, asOf);
    if (hosts?.length === 0) return sql`1 = 0`;
    if (hosts) conditions.push(isAmong(database, sql`h.id`, hosts));
    if (part.kind !== 'facts') continue;
    const named = asOf === null ? nameTests(part) : [];
    // All names are looked through sooner than all facts that tell one.
    if (named.length > 0) conditions.push(all(named));
    if (named.length > 0 && !isLookedUp(part)) continue;
    const factSets = await fewFactSets(database, part.conditions);
    if (factSets?.length === 0) return sql`1 = 0`;
    if (!factSets) continue;
    const holders = moment.withFactSets(isAmong(database, sql`s.fact_set`, factSets));
    if (asked === 'all') {
      conditions.push(sql`h.id IN (${holders})`);
      continue;
    }
    const { rows } = await sql<{ host: number }>`SELECT DISTINCT a.host FROM (${holders}) AS a
      LIMIT ${sql.lit(maxListed + 1)}`.execute(database.query);
    const listed = rows.map(({ host }) => host);
    conditions.push(
      listed.length > maxListed ? isOneOf(sql`h.id`, holders) : isAmong(database, sql`h.id`, listed),
    );
  }
  return all([...conditions, moment.exists, hostCondition(database, filter, asOf)]);
}

/** The hosts of which alone a part of a filter can hold, where they are few and quickly found: null when they are not. */
async function hostsOf(database: Database, part: HostFilter, asOf: number | null): Promise<number[] | null> {
  if (part.kind === 'result') return hostsFailed(database, part);
  if (part.kind === 'now') return (await passingHosts(database, part.filter)).few;
  if (part.kind !== 'changed') return null;
  const rows = await database.query
    .selectFrom('changes')
    .select('host')
    .where('at', '>=', part.since)
    .$if(asOf !== null, (query) => query.where('at', '<=', asOf ?? 0))
    .orderBy('at', 'desc')
    .limit(maxChanged + 1)
    .execute();
  return rows.length > maxChanged ? null : [...new Set(rows.map(({ host }) => host))];
}

export type PassingHosts = {
  /** Their numbers, where they are few; null when they are not. */
  few: number[] | null;
  /** That a column is the number of one of them. */
  isOne(column: RawBuilder<unknown>): Condition;
};

/** The hosts that pass now. */
export async function passingHosts(database: Database, filter: HostFilter): Promise<PassingHosts> {
  const passes = await whichHosts(database, filter, null, 'all');
  const { rows } = await sql<{ id: number }>`SELECT h.id FROM hosts h WHERE ${passes}
    LIMIT ${sql.lit(maxListed + 1)}`.execute(database.query);
  const few = rows.length > maxListed ? null : rows.map(({ id }) => id);
  return {
    few,
    isOne: (column) =>
      few
        ? isAmong(database, column, few)
        : sql`EXISTS (SELECT 1 FROM hosts h WHERE h.id = ${column} AND ${passes} LIMIT 1 OFFSET 0)`,
  };
}

/** Changes that are looked at for who changed of late, of which a host that is new has several. */
const maxChanged = 1_000;

/** The hosts that ever had such a result, where it is one that failed and they are few: null when they are not. */
export async function hostsFailed(
  { query }: Database,
  filter: Extract<ReportFilter, { kind: 'result' }>,
): Promise<number[] | null> {
  if (!isFailure(filter)) return null;
  if (filter.statuses?.length === 0) return [];
  const rows = await query
    .selectFrom('content_results as x')
    .innerJoin('contents as c', 'c.id', 'x.content')
    .select('c.host')
    .distinct()
    .where('x.plugin', '=', filter.plugin)
    .where('x.status', 'in', filter.statuses ?? [])
    .where('x.status', '<>', 'OK')
    .limit(maxFailed + 1)
    .execute();
  return rows.length > maxFailed ? null : rows.map(({ host }) => host);
}

/** Whether only results that failed pass, of which there is an index. */
export function isFailure({ statuses }: Extract<ReportFilter, { kind: 'result' }>): boolean {
  return statuses !== null && !statuses.includes('OK');
}

const namePath = `${hostPathRoot}.name`;

/** What a filter says of the host's name, which is in its own row as well. */
function nameTests(part: Extract<HostFilter, { kind: 'facts' }>): Condition[] {
  if (part.plugin !== hostPlugin) return [];
  return part.conditions.flatMap(necessaryLeaves).flatMap(({ kind, path, tests }): Condition[] => {
    const own = tests.filter((test) => test.op !== 'isNull' && !('ignoreCase' in test && test.ignoreCase));
    if (kind !== 'value' || path !== namePath || own.length === 0) return [];
    return [allTests({ value: sql`h.name` }, own)];
  });
}

/** Whether the index of values has what passes in one place. */
function isLookedUp({ conditions }: Extract<HostFilter, { kind: 'facts' }>): boolean {
  return conditions.flatMap(necessaryLeaves).some(({ tests }) => startTests(sql`v.text`, tests).length > 0);
}

/** The fact sets that could pass one of the conditions, where they are few: null when they are not. */
export async function fewFactSets(
  database: Database,
  conditions: readonly FactCondition[],
): Promise<number[] | null> {
  const { query } = database;
  let best: number[] | null = null;
  for (const { path, column, tests } of conditions.flatMap(necessaryLeaves)) {
    if (!tests.some(isSelective)) continue;
    const found = await query
      .selectFrom('fact_values as v')
      .select('v.fact_set')
      .distinct()
      .where(sql<number>`v.path`, '=', pathId(path))
      .where(valueTests('v', column, tests))
      .where(column === 'text' ? all(startTests(sql`v.text`, tests)) : sql<boolean>`1 = 1`)
      .limit(maxFactSets + 1)
      .execute();
    if (found.length > maxFactSets) continue;
    const factSets = await withElements(
      database,
      found.map(({ fact_set }) => fact_set),
    );
    if (!factSets || (best && best.length <= factSets.length)) continue;
    best = factSets;
    if (best.length === 0) break;
  }
  return best;
}

/**
 * The fact sets among these numbers, and those that have one of the elements whose numbers, below zero, are among them.
 *
 * @returns null where they are not few
 */
async function withElements(database: Database, numbers: readonly number[]): Promise<number[] | null> {
  const elements = numbers.filter((number) => number < 0).map((number) => -number);
  if (elements.length === 0) return [...numbers];
  const { rows } = await sql<{ fact_set: number }>`SELECT DISTINCT b.fact_set FROM fact_set_blocks b
    WHERE b.block IN (SELECT c.block FROM block_elements c WHERE ${isAmong(database, sql`c.element`, elements)})
    LIMIT ${sql.lit(maxFactSets + 1)}`.execute(database.query);
  const all = new Set([...numbers.filter((number) => number > 0), ...rows.map(({ fact_set }) => fact_set)]);
  return all.size > maxFactSets ? null : [...all];
}

/** Filters that all have to hold. */
export function conjuncts<Filter extends ReportFilter | HostFilter>(filter: Filter | null): Filter[] {
  if (!filter) return [];
  return filter.kind === 'and' ? (filter.filters as Filter[]).flatMap(conjuncts) : [filter];
}

/** Whether so few values may pass that it is worth looking; of what is not this, or known, there is a lot. */
function isSelective({ op }: Test): boolean {
  return op !== 'ne' && op !== 'notIn' && op !== 'isNull';
}
