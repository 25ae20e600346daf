/**
 * report-plan: decides whether a list of reports is walked in the order of time, or gathered from few hosts.
 *
 * Walking is right for common answers: the first page fills soon. A rare one would walk all of history; it is in
 * the reports of few hosts, and of those between the first and last time they told a matching fact set.
 * The questions that find this out are bounded themselves.
 */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { necessaryLeaves, pathId, valueTests } from './fact-condition.ts';
import type { FactCondition, HostFilter, ReportFilter, Test } from './filter.ts';
import { hostCondition } from './filter-condition.ts';
import { hostsAt } from './host-moment.ts';
import { all, type Condition, startTests } from './test-condition.ts';

/** Reports of a host within a stretch of told_at; null is open. */
export type HostSpan = { host: number; first: number | null; last: number | null };

export type ReportPlan =
  /** Where they are few, only reports of these hosts, with one of these fact sets: cheaper to tell than what the filter says. */
  | { kind: 'walk'; factSets: readonly number[] | null; hosts: readonly number[] | null }
  | { kind: 'hosts'; spans: readonly HostSpan[] };

/** With more, walking finds a page sooner: one in a hundred hosts of ten thousand. */
const maxHosts = 100;
/** With more, it costs more to find them out than to look at a report more closely: one in ten. */
const maxWalkedHosts = 1_000;
/** What so few hosts have told in years, and what one statement can be given. */
const maxFactSets = 500;

export async function planReports(database: Database, filter: ReportFilter | null): Promise<ReportPlan> {
  let best: readonly HostSpan[] | null = null;
  let fewest: readonly number[] | null = null;
  let walked: readonly number[] | null = null;
  for (const part of conjuncts(filter)) {
    const factSets = part.kind === 'facts' ? await fewFactSets(database, part.conditions) : null;
    if (factSets && (!fewest || factSets.length < fewest.length)) fewest = factSets;
    const spans: readonly HostSpan[] | null = factSets
      ? await spansWith(database, factSets)
      : await spansOf(database, part);
    if (!spans) continue;
    if (spans.length > maxHosts) walked = spans.map(({ host }) => host);
    else if (!best || spans.length < best.length) best = spans;
    if (best?.length === 0) break;
  }
  return best ? { kind: 'hosts', spans: best } : { kind: 'walk', factSets: fewest, hosts: walked };
}

/** The fact sets that could pass one of the conditions, where they are few: null when they are not. */
export async function fewFactSets(
  { query }: Database,
  conditions: readonly FactCondition[],
): Promise<number[] | null> {
  let best: number[] | null = null;
  for (const { path, column, tests } of conditions.flatMap(necessaryLeaves)) {
    if (!tests.some(isSelective)) continue;
    const found = await query
      .selectFrom('fact_values as v')
      .select('v.fact_set')
      .distinct()
      .where(sql<number>`v.path`, '=', pathId(path))
      .where(valueTests('v', column, tests))
      .where(column === 'text' ? startTests(sql`v.text`, tests) : sql<boolean>`1 = 1`)
      .limit(maxFactSets + 1)
      .execute();
    if (found.length > maxFactSets || (best && best.length <= found.length)) continue;
    best = found.map(({ fact_set }) => fact_set);
    if (best.length === 0) break;
  }
  return best;
}

/** Filters that all have to hold. */
function conjuncts<Filter extends ReportFilter | HostFilter>(filter: Filter | null): Filter[] {
  if (!filter) return [];
  return filter.kind === 'and' ? (filter.filters as Filter[]).flatMap(conjuncts) : [filter];
}

/** The hosts that a filter names, where they are few: null when they are not, or it names none. */
async function spansOf(database: Database, filter: ReportFilter): Promise<HostSpan[] | null> {
  const whole = (host: number): HostSpan => ({ host, first: null, last: null });
  if (filter.kind === 'result') return (await hostsFailed(database, filter))?.map(whole) ?? null;
  const named = namedHosts(filter);
  if (!named) return null;
  const hosts = await database.query
    .selectFrom('hosts as h')
    .select('h.id')
    .where(await whichHosts(database, named, null))
    .limit(maxHosts + 1)
    .execute();
  return hosts.length > maxHosts ? null : hosts.map(({ id }) => whole(id));
}

/** A filter of the hosts whose reports may pass; null when it says nothing of them. */
function namedHosts(filter: ReportFilter): HostFilter | null {
  if (filter.kind === 'host') return filter.filter;
  if (filter.kind === 'field' && filter.field === 'host')
    return { kind: 'field', field: 'id', tests: filter.tests };
  return null;
}

/** What the filter says of `hosts h`, and where its answer is rare also which hosts to look at. */
export async function whichHosts(
  database: Database,
  filter: HostFilter | null,
  asOf: number | null,
): Promise<Condition> {
  const moment = hostsAt(asOf);
  const check = database.checkpoint(sql`h.id`);
  const conditions = [check, moment.exists, hostCondition(database, filter, asOf)];
  for (const part of conjuncts(filter)) {
    const failed = part.kind === 'result' ? await hostsFailed(database, part) : null;
    if (failed?.length === 0) return sql`1 = 0`;
    if (failed) conditions.push(sql`h.id IN (${sql.join(failed)})`);
    if (part.kind !== 'facts') continue;
    const factSets = await fewFactSets(database, part.conditions);
    if (!factSets) continue;
    if (factSets.length === 0) return sql`1 = 0`;
    conditions.push(moment.withFactSets(factSets));
  }
  return all(conditions);
}

/** The hosts that ever had such a result, where it is one that failed and they are few: null when they are not. */
async function hostsFailed(
  { query }: Database,
  filter: Extract<ReportFilter, { kind: 'result' }>,
): Promise<number[] | null> {
  if (!filter.statuses || filter.statuses.includes('OK')) return null;
  if (filter.statuses.length === 0) return [];
  const rows = await query
    .selectFrom('content_results as x')
    .innerJoin('contents as c', 'c.id', 'x.content')
    .select('c.host')
    .distinct()
    .where('x.plugin', '=', filter.plugin)
    .where('x.status', 'in', filter.statuses)
    .where('x.status', '<>', 'OK')
    .limit(maxHosts + 1)
    .execute();
  return rows.length > maxHosts ? null : rows.map(({ host }) => host);
}

/** The hosts that told one of the fact sets, and when, where they are not too many: null when they are. */
async function spansWith(
  { query }: Database,
  factSets: readonly number[],
): Promise<readonly HostSpan[] | null> {
  if (factSets.length === 0) return [];
  const rows = await query
    .selectFrom('host_fact_sets')
    .select(({ fn }) => [
      'host',
      fn.min('first_at').as('first'),
      fn.max('last_at').as('last'),
      // A null among them: the newest report tells one.
      sql<number>`count(*) - count(last_at)`.as('open'),
    ])
    .where('fact_set', 'in', factSets)
    .groupBy('host')
    .limit(maxWalkedHosts + 1)
    .execute();
  if (rows.length > maxWalkedHosts) return null;
  return rows.map(({ host, first, last, open }) => ({
    host,
    first: Number(first),
    last: Number(open) > 0 ? null : Number(last),
  }));
}

/** Whether so few values may pass that it is worth looking; of what is not this, or known, there is a lot. */
function isSelective({ op }: Test): boolean {
  return op !== 'ne' && op !== 'notIn' && op !== 'isNull';
}
