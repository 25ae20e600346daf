/**
 * fact-condition: compiles conditions on facts into SQL conditions on one fact set.
 *
 * Written to be cheap for one fact set: each value is one look into the primary key of fact_values. What is in a list may be
 * at the fact set or, where the list is long, at elements: which of these pass is the same for all fact sets, and found
 * out once.
 */
import { type RawBuilder, sql } from 'kysely';
import type { FactCondition, Test } from './filter.ts';
import { listRow } from './flatten.ts';
import { all, allTests, type Condition, either, isOneOf, startTests } from './test-condition.ts';

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
      return either([
        sql`EXISTS (SELECT 1 FROM fact_values v WHERE v.fact_set = ${scope.factSet}
          AND v.path = ${pathId(condition.path)} LIMIT 1 OFFSET 0)`,
        hasElement(scope.factSet, elementsTelling(condition.path)),
      ]);
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
  const found = (known: readonly Test[]): Condition => {
    const own: Condition = sql`EXISTS (SELECT 1 FROM fact_values v WHERE v.fact_set = ${scope.factSet}
      AND v.path = ${pathId(path)} AND ${place} AND ${valueTests('v', column, known)} LIMIT 1 OFFSET 0)`;
    if (kind !== 'anywhere') return own;
    return either([own, hasElement(scope.factSet, elementsWith('v', { path, column, tests: known }, place))]);
  };
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
    const rest = all(
      conditions.filter((condition) => condition !== first).map((part) => compile(part, inner)),
    );
    const own: Condition = sql`EXISTS (SELECT 1 FROM fact_values ${e} WHERE ${e}.fact_set = ${factSet}
      AND ${e}.path = ${pathId(first.path)} AND ${valueTests(row, first.column, first.tests)} AND ${rest}
      LIMIT 1 OFFSET 0)`;
    return either([own, hasElement(factSet, elementsWith(row, first, rest))]);
  }
  const passes = join(conditions.map((part) => compile(part, inner)));
  const own: Condition = sql`EXISTS (SELECT 1 FROM fact_values ${e} WHERE ${e}.fact_set = ${factSet}
    AND ${e}.path = ${pathId(path)} AND ${e}.parent = ${item} AND ${passes} LIMIT 1 OFFSET 0)`;
  // A list in an element is where the element is.
  return element ? own : either([own, hasElement(factSet, elementsOf(path, row, passes))]);
}

/** That a fact set has one of the elements whose numbers a query gives, which is run once for all fact sets. */
function hasElement(factSet: RawBuilder<unknown>, elements: RawBuilder<unknown>): Condition {
  const blocks = sql`SELECT c.block FROM block_elements c WHERE c.element IN (${elements})`;
  return sql`EXISTS (SELECT 1 FROM fact_set_blocks b WHERE b.fact_set = ${factSet}
    AND ${isOneOf(sql`b.block`, blocks)} LIMIT 1 OFFSET 0)`;
}

/** Elements with such a value, under the alias `row`. */
function elementsWith(
  row: string,
  { path, column, tests }: Pick<Leaf, 'path' | 'column' | 'tests'>,
  more: Condition,
): RawBuilder<unknown> {
  const v = sql.raw(row);
  const start = column === 'text' ? startTests(sql.ref(`${row}.text`), tests) : [];
  // With a sign, so that values are looked up by their path.
  return sql`SELECT -${v}.fact_set FROM fact_values ${v} WHERE +${v}.fact_set < 0 AND ${v}.path = ${pathId(path)}
    AND ${all(start)} AND ${valueTests(row, column, tests)} AND ${more}`;
}

/** Elements of long lists with this path, whose row has the alias `row`. */
function elementsOf(path: string, row: string, passes: Condition): RawBuilder<unknown> {
  const e = sql.raw(row);
  return sql`SELECT l.id FROM elements l CROSS JOIN fact_values ${e} WHERE l.list = ${pathId(path)}
    AND ${e}.fact_set = -l.id AND ${e}.path = ${pathId(path)} AND ${e}.parent = '' AND ${passes}`;
}

/** Elements that tell something at this path: they are there themselves, or have a value or a list there. */
function elementsTelling(path: string): RawBuilder<unknown> {
  const having = (column: string) => sql`SELECT -v.fact_set FROM fact_values v
    WHERE +v.fact_set < 0 AND v.path = ${pathId(path)} AND ${sql.ref(`v.${column}`)} IS NOT NULL`;
  return sql`SELECT l.id FROM elements l WHERE l.list = ${pathId(path)}
    UNION ALL ${having('text')} UNION ALL ${having('number')}`;
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
