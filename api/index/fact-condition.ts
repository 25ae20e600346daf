/**
 * fact-condition: compiles conditions on facts into SQL conditions on one fact set.
 *
 * Written to be cheap for one fact set: each value is one look into the primary key of fact_values.
 */
import { type RawBuilder, sql } from 'kysely';
import type { FactCondition, Test } from './filter.ts';
import { listRow } from './flatten.ts';
import { all, allTests, type Condition, either } from './test-condition.ts';

type Leaf = Extract<FactCondition, { kind: 'value' | 'anywhere' | 'length' }>;
type ListCondition = Extract<FactCondition, { kind: 'some' | 'every' | 'none' }>;

/** The record that conditions are on. */
type Scope = {
  factSet: RawBuilder<unknown>;
  /** Its place in the lists around it; empty for the whole of the facts. */
  item: RawBuilder<unknown>;
  /** For an element of a list: its path, and the alias of its row. */
  element: { path: string; row: string } | null;
  depth: number;
};

/** A condition on the fact set that `factSet` is the number of. */
export function factCondition(factSet: RawBuilder<unknown>, conditions: readonly FactCondition[]): Condition {
  const scope = { factSet, item: sql.lit(''), element: null, depth: 1 };
  return all(conditions.map((condition) => compile(condition, scope)));
}

function compile(condition: FactCondition, scope: Scope): Condition {
  switch (condition.kind) {
    case 'and':
      return all(condition.conditions.map((part) => compile(part, scope)));
    case 'or':
      return either(condition.conditions.map((part) => compile(part, scope)));
    case 'not':
      // What is unknown does not pass a test, so it does pass its opposite.
      return sql`(${compile(condition.condition, scope)}) IS NOT TRUE`;
    case 'value':
    case 'anywhere':
    case 'length':
      return compileValue(condition, scope);
    case 'told':
      return sql`EXISTS (SELECT 1 FROM fact_values v WHERE v.fact_set = ${scope.factSet}
        AND v.path = ${pathId(condition.path)} LIMIT 1 OFFSET 0)`;
    case 'some':
      return someElement(condition, scope, all);
    case 'none':
      return sql`(${isKnownList(condition.path, scope)} AND NOT ${someElement(condition, scope, all)})`;
    case 'every':
      return sql`(${isKnownList(condition.path, scope)}
        AND NOT ${someElement(condition, scope, (conditions) => sql`${all(conditions)} IS NOT TRUE`)})`;
  }
}

function compileValue({ kind, path, column, tests }: Leaf, scope: Scope): Condition {
  // A list of single values: the element is the value.
  if (kind === 'value' && scope.element?.path === path) return valueTests(scope.element.row, column, tests);
  const place = kind === 'anywhere' ? isNoList('v') : sql<boolean>`v.item = ${scope.item}`;
  const found = (known: readonly Test[]): Condition =>
    sql`EXISTS (SELECT 1 FROM fact_values v WHERE v.fact_set = ${scope.factSet} AND v.path = ${pathId(path)}
      AND ${place} AND ${valueTests('v', column, known)} LIMIT 1 OFFSET 0)`;
  // An unknown value has no row: `isNull: true` is that nothing is found, every other test that something is.
  const wantsNull = tests.some((test) => test.op === 'isNull' && test.value);
  const others = tests.filter((test) => test.op !== 'isNull');
  if (!wantsNull) return found(others);
  return others.length > 0 ? sql`1 = 0` : sql`NOT ${found([])}`;
}

function isKnownList(path: string, { factSet, item }: Scope): Condition {
  return sql`EXISTS (SELECT 1 FROM fact_values l WHERE l.fact_set = ${factSet} AND l.path = ${pathId(path)}
    AND l.item = ${item} LIMIT 1 OFFSET 0)`;
}

/** That there is an element which what `join` makes of the conditions holds for. */
function someElement(
  { path, conditions, kind }: ListCondition,
  { factSet, item, element, depth }: Scope,
  join: (conditions: readonly Condition[]) => Condition,
): Condition {
  const row = `e${depth}`;
  const e = sql.raw(row);
  const inner: Scope = {
    factSet: sql`${e}.fact_set`,
    item: sql`${e}.item`,
    element: { path, row },
    depth: depth + 1,
  };
  // The values of a long list are looked through in one go, and only where one fits is the rest of its element looked at.
  const first = kind === 'every' || element ? undefined : conditions.find(isDriver);
  if (first && first.path !== path) {
    const rest = conditions.filter((condition) => condition !== first);
    return sql`EXISTS (SELECT 1 FROM fact_values ${e} WHERE ${e}.fact_set = ${factSet} AND ${e}.path = ${pathId(first.path)}
      AND ${valueTests(row, first.column, first.tests)} AND ${all(rest.map((part) => compile(part, inner)))}
      LIMIT 1 OFFSET 0)`;
  }
  return sql`EXISTS (SELECT 1 FROM fact_values ${e} WHERE ${e}.fact_set = ${factSet} AND ${e}.path = ${pathId(path)}
    AND ${e}.parent = ${item} AND ${join(conditions.map((part) => compile(part, inner)))} LIMIT 1 OFFSET 0)`;
}

/** A test of a value that every element must have to pass. */
function isDriver(condition: FactCondition): condition is Leaf {
  return (
    condition.kind === 'value' &&
    condition.tests.length > 0 &&
    !condition.tests.some((test) => test.op === 'isNull')
  );
}

/** The number of a path, which the database looks up once. */
export function pathId(path: string): RawBuilder<number> {
  return sql<number>`(SELECT p.id FROM paths p WHERE p.path = ${path})`;
}

/** That a row of fact_values is a value, not a list. */
export function isNoList(row: string): Condition {
  return sql`coalesce(${sql.ref(`${row}.parent`)}, '') <> ${sql.lit(listRow)}`;
}

/** Tests on a row of fact_values. */
export function valueTests(row: string, column: 'text' | 'number', tests: readonly Test[]): Condition {
  const value = sql.ref(`${row}.${column}`);
  const columns = column === 'text' ? { value, folded: sql.ref(`${row}.folded`) } : { value };
  return sql`(${value} IS NOT NULL AND ${allTests(columns, tests)})`;
}

/**
 * Leaves of which each must hold for some value of a fact set that passes.
 *
 * @returns none where it cannot be told
 */
export function necessaryLeaves(condition: FactCondition): Leaf[] {
  switch (condition.kind) {
    case 'value':
    case 'anywhere':
    case 'length':
      return [condition];
    case 'some':
    case 'and':
      return condition.conditions.flatMap(necessaryLeaves);
    default:
      return [];
  }
}
