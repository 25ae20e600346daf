/**
 * filter-condition: compiles filters into SQL conditions on one report or host.
 *
 * Each is asked of a row that some index gave (see report-plan.ts), so it is written to be cheap for one row:
 * from the row to its content or plugins, to their fact sets, to the values of a path.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Comparable } from './comparable.ts';
import type { Database } from './database.ts';
import type {
  FactCondition,
  FilterOf,
  HostField,
  HostFilter,
  ReportField,
  ReportFilter,
  Test,
} from './filter.ts';
import { indexedTextLength } from './tables.ts';

export type Condition = RawBuilder<SqlBool>;
type Column = RawBuilder<unknown>;
type Uuids = Pick<Database, 'toUuid'>;

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
  const columns: Record<Exclude<ReportField, 'host' | 'hostName'>, Column> = {
    id: sql`r.id`,
    collectedAt: sql`r.collected_at`,
    receivedAt: sql`r.received_at`,
  };
  return compile(filter, {
    field(field, tests) {
      if (field === 'host' || field === 'hostName') {
        return sql`r.host IN (SELECT h.id FROM hosts h WHERE ${hostField(uuids, field === 'host' ? 'id' : 'name', tests)})`;
      }
      return allTests(columns[field], field === 'id' ? tests.map((test) => asUuid(uuids, test)) : tests);
    },
    factSet(plugin, condition) {
      const told = sql`x.plugin = ${plugin} AND x.fact_set IS NOT NULL AND ${condition}`;
      if (asked === 'all') return sql`r.content IN (SELECT x.content FROM content_results x WHERE ${told})`;
      // OFFSET keeps PostgreSQL from turning it into a join of everything.
      return sql`EXISTS (SELECT 1 FROM content_results x WHERE x.content = r.content AND ${told} LIMIT 1 OFFSET 0)`;
    },
  });
}

/** A condition on `hosts h`, whose facts are those that each plugin told last. */
export function hostCondition(uuids: Uuids, filter: HostFilter | null): Condition {
  return compile(filter, {
    field: (field, tests) => hostField(uuids, field, tests),
    factSet: (plugin, condition) => sql`EXISTS (SELECT 1 FROM host_plugins x
      WHERE x.host = h.id AND x.plugin = ${plugin} AND x.fact_set IS NOT NULL AND ${condition}
      LIMIT 1 OFFSET 0)`,
  });
}

/** A condition on `hosts h`. */
export function hostField(uuids: Uuids, field: HostField, tests: readonly Test[]): Condition {
  const columns: Record<HostField, Column> = {
    id: sql`h.uuid`,
    name: sql`h.name`,
    firstSeenAt: sql`h.first_seen_at`,
    lastSeenAt: sql`h.last_seen_at`,
  };
  return allTests(columns[field], field === 'id' ? tests.map((test) => asUuid(uuids, test)) : tests);
}

type Target<Field extends string> = {
  field(field: Field, tests: readonly Test[]): Condition;
  /** That the plugin told a fact set `x.fact_set` which passes. */
  factSet(plugin: string, condition: Condition): Condition;
};

function compile<Field extends string>(filter: FilterOf<Field> | null, target: Target<Field>): Condition {
  if (!filter) return sql`1 = 1`;
  switch (filter.kind) {
    case 'and':
      return all(filter.filters.map((part) => compile(part, target)));
    case 'or':
      return either(filter.filters.map((part) => compile(part, target)));
    case 'not':
      // What is unknown does not pass a test, so it does pass its opposite.
      return sql`(${compile(filter.filter, target)}) IS NOT TRUE`;
    case 'field':
      return target.field(filter.field, filter.tests);
    case 'facts':
      return target.factSet(filter.plugin, all(filter.conditions.map(onFactSet)));
  }
}

/** A condition on `x.fact_set`. */
function onFactSet(condition: FactCondition): Condition {
  if (condition.kind === 'some') {
    return sql`EXISTS (SELECT 1 FROM fact_values e WHERE e.fact_set = x.fact_set AND e.path = ${pathId(condition.path)}
      AND e.parent = '' AND ${all(condition.conditions.map((inner) => onElement(condition.path, inner, 'e')))}
      LIMIT 1 OFFSET 0)`;
  }
  return byKnown(
    condition.tests,
    (tests) => sql`EXISTS (SELECT 1 FROM fact_values v WHERE v.fact_set = x.fact_set
      AND v.path = ${pathId(condition.path)} AND ${valueTests('v', condition.column, tests)} LIMIT 1 OFFSET 0)`,
  );
}

/** A condition on the list element `outer`, a row of fact_values. */
function onElement(listPath: string, condition: FactCondition, outer: string): Condition {
  const [o, i] = [sql.raw(outer), sql.raw(`${outer}e`)];
  const same = sql`${i}.fact_set = ${o}.fact_set AND ${i}.path = ${pathId(condition.path)}`;
  if (condition.kind === 'some') {
    return sql`EXISTS (SELECT 1 FROM fact_values ${i} WHERE ${same} AND ${i}.parent = ${o}.item
      AND ${all(condition.conditions.map((next) => onElement(condition.path, next, `${outer}e`)))}
      LIMIT 1 OFFSET 0)`;
  }
  // A list of single values: the element is the value.
  if (condition.path === listPath) return valueTests(outer, condition.column, condition.tests);
  return byKnown(
    condition.tests,
    (tests) => sql`EXISTS (SELECT 1 FROM fact_values ${i} WHERE ${same} AND ${i}.item = ${o}.item
      AND ${valueTests(`${outer}e`, condition.column, tests)} LIMIT 1 OFFSET 0)`,
  );
}

/** The number of a path, which the database looks up once. */
export function pathId(path: string): RawBuilder<number> {
  return sql<number>`(SELECT p.id FROM paths p WHERE p.path = ${path})`;
}

/** An unknown value has no row: `isNull: true` is that nothing is found, every other test that something is. */
function byKnown(tests: readonly Test[], found: (tests: readonly Test[]) => Condition): Condition {
  const wantsNull = tests.some((test) => test.op === 'isNull' && test.value);
  const others = tests.filter((test) => test.op !== 'isNull');
  if (!wantsNull) return found(others);
  return others.length > 0 ? sql`1 = 0` : sql`NOT ${found([])}`;
}

/** Tests on a row of fact_values. */
export function valueTests(row: string, column: 'text' | 'number', tests: readonly Test[]): Condition {
  const value = sql.ref(`${row}.${column}`);
  if (column === 'number') return sql`(${value} IS NOT NULL AND ${allTests(value, tests)})`;
  const start = sql`substr(${value}, 1, ${sql.lit(indexedTextLength)})`;
  const indexed = tests.flatMap((test) => startTest(start, test));
  return sql`(${value} IS NOT NULL AND ${all([...indexed, allTests(value, tests)])})`;
}

/** What a test of a text says about its start, which is all that the index has. */
function startTest(start: Column, test: Test): Condition[] {
  const cut = (value: Comparable) => [...String(value)].slice(0, indexedTextLength).join('');
  switch (test.op) {
    case 'eq':
      return [sql`${start} = ${cut(test.value)}`];
    case 'in':
      return test.values.length === 0 ? [] : [sql`${start} IN (${sql.join(test.values.map(cut))})`];
    case 'lt':
    case 'lte':
      return [sql`${start} <= ${cut(test.value)}`];
    case 'gt':
    case 'gte':
      return [sql`${start} >= ${cut(test.value)}`];
    case 'between':
      return [sql`${start} BETWEEN ${cut(test.first)} AND ${cut(test.last)}`];
    case 'startsWith':
      return test.value === '' ? [] : [sql`${start} >= ${cut(test.value)}`];
    default:
      return [];
  }
}

function asUuid({ toUuid }: Uuids, test: Test): Test {
  const uuid = (value: Comparable) => toUuid(String(value)) as Comparable;
  if (test.op === 'eq') return { op: 'eq', value: uuid(test.value) };
  if (test.op === 'in') return { op: 'in', values: test.values.map(uuid) };
  throw new Error(`ids are compared by eq and in, not by ${test.op}`);
}

function allTests(column: Column, tests: readonly Test[]): Condition {
  return all(tests.map((test) => compileTest(column, test)));
}

function compileTest(column: Column, test: Test): Condition {
  switch (test.op) {
    case 'eq':
      return sql`${column} = ${test.value}`;
    case 'ne':
      return sql`${column} <> ${test.value}`;
    case 'lt':
      return sql`${column} < ${test.value}`;
    case 'lte':
      return sql`${column} <= ${test.value}`;
    case 'gt':
      return sql`${column} > ${test.value}`;
    case 'gte':
      return sql`${column} >= ${test.value}`;
    case 'between':
      return sql`${column} BETWEEN ${test.first} AND ${test.last}`;
    case 'in':
      return test.values.length === 0 ? sql`1 = 0` : sql`${column} IN (${sql.join(test.values)})`;
    case 'notIn':
      return test.values.length === 0
        ? sql`${column} IS NOT NULL`
        : sql`${column} NOT IN (${sql.join(test.values)})`;
    // Text is replaced, not searched for: both dialects have it, and it takes no pattern.
    case 'contains':
      return test.value === ''
        ? sql`${column} IS NOT NULL`
        : sql`replace(${column}, ${test.value}, '') <> ${column}`;
    case 'startsWith':
      return sql`substr(${column}, 1, ${sql.lit(length(test.value))}) = ${test.value}`;
    case 'endsWith':
      return test.value === ''
        ? sql`${column} IS NOT NULL`
        : sql`(length(${column}) >= ${sql.lit(length(test.value))}
            AND substr(${column}, length(${column}) - ${sql.lit(length(test.value) - 1)}) = ${test.value})`;
    case 'isNull':
      return test.value ? sql`${column} IS NULL` : sql`${column} IS NOT NULL`;
  }
}

/** In characters, as databases count them. */
function length(text: string): number {
  return [...text].length;
}

function all(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 1` : sql`(${sql.join(conditions, sql` AND `)})`;
}

function either(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 0` : sql`(${sql.join(conditions, sql` OR `)})`;
}
