/**
 * sql-filter: compiles filters into SQL conditions.
 *
 * Facts are matched on fact sets, which are few, and only then on the reports or hosts that had them.
 */
import type {
  FactCondition,
  FilterOf,
  HostField,
  HostFilter,
  ReportField,
  ReportFilter,
  Test,
} from './filter.ts';
import { join, raw, type Sql, sql } from './sql.ts';

const reportColumns: Record<ReportField, Sql> = {
  id: raw('r.id'),
  host: raw('r.host_id'),
  hostName: raw('h.name'),
  collectedAt: raw('r.collected_at'),
  receivedAt: raw('r.received_at'),
};
const hostColumns: Record<HostField, Sql> = {
  id: raw('h.id'),
  name: raw('h.name'),
  firstSeenAt: raw('h.first_seen_at'),
  lastSeenAt: raw('h.last_seen_at'),
};

/** A condition on `reports r`. */
export function reportCondition(filter: ReportFilter | null): Sql {
  return compile(filter, {
    // Hosts are few beside their reports, so names are looked up there first.
    field: (field, tests) =>
      field === 'hostName'
        ? sql`r.host_id IN (SELECT h.id FROM hosts h WHERE ${allTests(reportColumns.hostName, tests)})`
        : allTests(reportColumns[field], tests),
    factSets: (sets) =>
      sql`EXISTS (SELECT 1 FROM results x WHERE x.report = r.seq AND x.fact_set IN (${sets}))`,
  });
}

/** A condition on `hosts h`, whose facts are those of the newest successful results. */
export function hostCondition(filter: HostFilter | null): Sql {
  return compile(filter, {
    field: (field, tests) => allTests(hostColumns[field], tests),
    factSets: (sets) =>
      sql`h.id IN (SELECT l.host_id FROM latest_results l JOIN results x ON x.report = l.report
        AND x.position = l.position WHERE x.fact_set IN (${sets}))`,
  });
}

type Target<Field extends string> = {
  field(field: Field, tests: readonly Test[]): Sql;
  factSets(sets: Sql): Sql;
};

function compile<Field extends string>(filter: FilterOf<Field> | null, target: Target<Field>): Sql {
  if (!filter) return raw('1');
  switch (filter.kind) {
    case 'and':
      return all(filter.filters.map((part) => compile(part, target)));
    case 'or':
      return sql`(${join(
        filter.filters.map((part) => compile(part, target)),
        ' OR ',
        '0',
      )})`;
    case 'not':
      // What is unknown does not pass a test, so it does pass its opposite.
      return sql`coalesce(${compile(filter.filter, target)}, 0) = 0`;
    case 'field':
      return target.field(filter.field, filter.tests);
    case 'facts':
      return target.factSets(sql`SELECT f.id FROM fact_sets f WHERE f.plugin = ${filter.plugin}
        AND ${all(filter.conditions.map(onFactSet))}`);
  }
}

/** A condition on `fact_sets f`. */
function onFactSet(condition: FactCondition): Sql {
  if (condition.kind === 'some') {
    return sql`f.id IN (SELECT e.fact_set FROM fact_values e WHERE e.path = ${condition.path} AND e.parent = ''
      AND ${all(condition.conditions.map((inner) => onElement(condition.path, inner, 'e')))})`;
  }
  return byKnown(condition.tests, (tests) => {
    const column = raw(`v.${condition.column}`);
    return sql`f.id IN (SELECT v.fact_set FROM fact_values v WHERE v.path = ${condition.path}
      AND ${allTests(column, tests)})`;
  });
}

/** A condition on the list element `outer`, a row of fact_values. */
function onElement(listPath: string, condition: FactCondition, outer: string): Sql {
  const inner = `${outer}e`;
  const same = sql`${raw(inner)}.fact_set = ${raw(outer)}.fact_set AND ${raw(inner)}.path = ${condition.path}`;
  if (condition.kind === 'some') {
    return sql`EXISTS (SELECT 1 FROM fact_values ${raw(inner)} WHERE ${same} AND ${raw(inner)}.parent = ${raw(outer)}.item
      AND ${all(condition.conditions.map((next) => onElement(condition.path, next, inner)))})`;
  }
  // A list of single values: the element is the value.
  if (condition.path === listPath) return allTests(raw(`${outer}.${condition.column}`), condition.tests);
  return byKnown(condition.tests, (tests) => {
    const column = raw(`${inner}.${condition.column}`);
    return sql`EXISTS (SELECT 1 FROM fact_values ${raw(inner)} WHERE ${same} AND ${raw(inner)}.item = ${raw(outer)}.item
      AND ${allTests(column, tests)})`;
  });
}

/** An unknown value has no row: `isNull: true` is that nothing is found, every other test that something is. */
function byKnown(tests: readonly Test[], found: (tests: readonly Test[]) => Sql): Sql {
  const wantsNull = tests.some((test) => test.op === 'isNull' && test.value);
  const others = tests.filter((test) => test.op !== 'isNull');
  if (!wantsNull) return found(others);
  return others.length > 0 ? raw('0') : sql`NOT ${found([])}`;
}

function allTests(column: Sql, tests: readonly Test[]): Sql {
  return all(tests.map((test) => compileTest(column, test)));
}

function compileTest(column: Sql, test: Test): Sql {
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
      return sql`${column} IN (${join(test.values, ', ')})`;
    case 'notIn':
      return sql`${column} NOT IN (${join(test.values, ', ')})`;
    case 'contains':
      return sql`instr(${column}, ${test.value}) > 0`;
    case 'startsWith':
      return sql`substr(${column}, 1, length(${test.value})) = ${test.value}`;
    case 'endsWith':
      return sql`substr(${column}, length(${column}) - length(${test.value}) + 1) = ${test.value}`;
    case 'isNull':
      return test.value ? sql`${column} IS NULL` : sql`${column} IS NOT NULL`;
  }
}

function all(pieces: readonly Sql[]): Sql {
  return sql`(${join(pieces, ' AND ', '1')})`;
}
