/**
 * filter-condition: compiles filters into SQL conditions on one report or host.
 *
 * Each is asked of a row that some index gave (see report-plan.ts), so it is written to be cheap for one row:
 * from the row to its content or plugins, to their fact sets, to the values of a path.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Comparable } from './comparable.ts';
import type { Database } from './database.ts';
import { hostPlugin } from './digest.ts';
import { factCondition } from './fact-condition.ts';
import type { FactCondition, FactsFilter, HostFilter, ReportFilter, Test } from './filter.ts';
import { hostsAt } from './host-moment.ts';
import { all, allTests, type Condition, either, isOneOf } from './test-condition.ts';

type Uuids = Pick<Database, 'toUuid'>;
type Expression = RawBuilder<unknown>;

/**
 * A condition on `reports r`.
 *
 * @param asked of few reports, as for a page: of each whether its content passes; or of all of them, as for a count: then
 *   it is cheaper to find the contents that pass first, as there is one for a hundred reports
 */
export function reportCondition(
  uuids: Uuids,
  filter: ReportFilter | null,
  asked: 'few' | 'all' = 'few',
): Condition {
  /** That a result of the content passes. */
  const hasResult = (condition: Condition, isRare = false): Condition => {
    if (asked === 'all' || isRare)
      return isOneOf(sql`r.content`, sql`SELECT x.content FROM content_results x WHERE ${condition}`);
    // OFFSET keeps PostgreSQL from turning it into a join of everything.
    return sql`EXISTS (SELECT 1 FROM content_results x WHERE x.content = r.content AND ${condition} LIMIT 1 OFFSET 0)`;
  };
  return compile(filter, {
    facts: (plugin, conditions) =>
      hasResult(
        sql`x.plugin = ${plugin} AND x.fact_set IS NOT NULL AND ${factCondition(sql`x.fact_set`, conditions)}`,
      ),
    result: (condition, isFailure) => hasResult(condition, isFailure),
    own(own) {
      if (own.kind === 'host') {
        const passes = hostCondition(uuids, own.filter, null);
        if (asked === 'all') return isOneOf(sql`r.host`, sql`SELECT h.id FROM hosts h WHERE ${passes}`);
        return sql`EXISTS (SELECT 1 FROM hosts h WHERE h.id = r.host AND ${passes} LIMIT 1 OFFSET 0)`;
      }
      const columns = { id: sql`r.id`, collectedAt: sql`r.collected_at`, receivedAt: sql`r.received_at` };
      if (own.field === 'host') {
        return sql`r.host IN (SELECT h.id FROM hosts h WHERE ${onIds(uuids, sql`h.uuid`, own.tests)})`;
      }
      if (own.field === 'id') return onIds(uuids, columns.id, own.tests);
      return allTests({ value: columns[own.field] }, own.tests);
    },
  });
}

/**
 * A condition on `hosts h`.
 *
 * @param asOf a moment in the past, milliseconds since 1970; null for now
 */
export function hostCondition(uuids: Uuids, filter: HostFilter | null, asOf: number | null): Condition {
  const moment = hostsAt(asOf);
  return compile(filter, {
    facts: (plugin, conditions) => sql`EXISTS (SELECT 1 FROM (SELECT ${moment.factSet(plugin)} AS fact_set) x
      WHERE x.fact_set IS NOT NULL AND ${factCondition(sql`x.fact_set`, conditions)} LIMIT 1 OFFSET 0)`,
    result: (condition) => sql`EXISTS (SELECT 1 FROM content_results x
      WHERE x.content = ${moment.content} AND ${condition} LIMIT 1 OFFSET 0)`,
    own(own) {
      switch (own.kind) {
        case 'silent': {
          const { intervals, plusMs, unknownMs } = own.longerThan;
          const silent = sql`${asOf ?? own.now} - ${moment.lastSeenAt}`;
          return sql`${silent} > coalesce(${moment.intervalSeconds} * ${sql.lit(intervals * 1000)} + ${sql.lit(plusMs)}, ${sql.lit(unknownMs)})`;
        }
        case 'changed':
          return sql`EXISTS (SELECT 1 FROM changes c WHERE c.host = h.id AND c.at >= ${own.since}
            AND ${asOf === null ? sql`1 = 1` : sql`c.at <= ${asOf}`} AND NOT ${isInitial} LIMIT 1 OFFSET 0)`;
        case 'now':
          return hostCondition(uuids, own.filter, null);
        case 'field': {
          if (own.field === 'id') return onIds(uuids, sql`h.uuid`, own.tests);
          const column = own.field === 'lastSeenAt' ? moment.lastSeenAt : sql`h.first_seen_at`;
          return allTests({ value: column }, own.tests);
        }
      }
    },
  });
}

/** That `changes c` is the first that a host told of a plugin. */
export const isInitial: Condition = sql`(c.before IS NULL AND NOT EXISTS (SELECT 1 FROM changes f
  WHERE f.host = c.host AND f.plugin = c.plugin AND f.at <= c.at AND (f.at, f.report) < (c.at, c.report)
  LIMIT 1 OFFSET 0))`;

/** A filter by what hosts tell of themselves, such as their name. */
export function ofHost(condition: FactCondition): FactsFilter {
  return { kind: 'facts', plugin: hostPlugin, conditions: [condition] };
}

type Own<Filter> = Exclude<Filter, { kind: 'and' | 'or' | 'not' | 'facts' | 'result' }>;

type Target<Filter> = {
  /** That the plugin told facts which pass. */
  facts(plugin: string, conditions: readonly FactCondition[]): Condition;
  /** That there is a result `x` which passes. @param isFailure only ones that failed do, of which there is an index */
  result(condition: Condition, isFailure: boolean): Condition;
  own(filter: Own<Filter>): Condition;
};

function compile<Filter extends ReportFilter | HostFilter>(
  filter: Filter | null,
  target: Target<Filter>,
): Condition {
  if (!filter) return sql`1 = 1`;
  const inner = (part: unknown) => compile(part as Filter, target);
  switch (filter.kind) {
    case 'and':
      return all(filter.filters.map(inner));
    case 'or':
      return either(filter.filters.map(inner));
    case 'not':
      // What is unknown does not pass a test, so it does pass its opposite.
      return sql`(${inner(filter.filter)}) IS NOT TRUE`;
    case 'facts':
      return target.facts(filter.plugin, filter.conditions);
    case 'result': {
      const { plugin, statuses, error } = filter;
      const conditions: Condition[] = [sql`x.plugin = ${plugin}`];
      if (statuses)
        conditions.push(statuses.length === 0 ? sql`1 = 0` : sql`x.status IN (${sql.join(statuses)})`);
      conditions.push(allTests({ value: sql`x.error`, folded: sql`x.folded` }, error));
      // In so many words, as that is what the index of failures is by.
      const isFailure = statuses !== null && !statuses.includes('OK');
      if (isFailure) conditions.push(sql`x.status <> 'OK'`);
      return target.result(all(conditions), isFailure);
    }
    default:
      return target.own(filter as Own<Filter>);
  }
}

function onIds({ toUuid }: Uuids, column: Expression, tests: readonly Test[]): Condition {
  const uuid = (value: Comparable) => toUuid(String(value)) as Comparable;
  const asUuids = tests.map((test): Test => {
    if (test.op === 'eq') return { op: 'eq', value: uuid(test.value) };
    if (test.op === 'in') return { op: 'in', values: test.values.map(uuid) };
    throw new Error(`ids are compared by eq and in, not by ${test.op}`);
  });
  return allTests({ value: column }, asUuids);
}
