/** test-condition: compiles tests of one value into SQL that means the same in both dialects. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Comparable } from './comparable.ts';
import type { Test } from './filter.ts';
import { indexedTextLength } from './table-indexes.ts';

export type Condition = RawBuilder<SqlBool>;

/** A column, and the one that has its text without case where that is another text. */
export type Column = { value: RawBuilder<unknown>; folded?: RawBuilder<unknown> };

export function allTests({ value, folded }: Column, tests: readonly Test[]): Condition {
  const withoutCase = folded ? sql`coalesce(${folded}, ${value})` : value;
  return all(
    tests.map((test) => compileTest('ignoreCase' in test && test.ignoreCase ? withoutCase : value, test)),
  );
}

function compileTest(column: RawBuilder<unknown>, test: Test): Condition {
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
    case 'outside':
      return sql`${column} NOT BETWEEN ${test.first} AND ${test.last}`;
    case 'any':
      return either(test.of.map((tests) => allTests({ value: column }, tests)));
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

/**
 * That a value is among what a query gives, which is run once and kept at hand.
 *
 * A condition by itself would be a hint: SQLite would look up each of them, PostgreSQL make a join of it, though a walk in
 * some order meets what passes soon. One in an expression is none.
 */
export function isOneOf(value: RawBuilder<unknown>, query: RawBuilder<unknown>): Condition {
  return sql`(${value} IN (${query})) IS TRUE`;
}

/** What tests of a text say about its start, which is all that an index has. */
export function startTests(value: RawBuilder<unknown>, tests: readonly Test[]): Condition[] {
  const start = sql`substr(${value}, 1, ${sql.lit(indexedTextLength)})`;
  return tests.flatMap((test) => startTest(start, test));
}

function startTest(start: RawBuilder<unknown>, test: Test): Condition[] {
  if ('ignoreCase' in test && test.ignoreCase) return [];
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
      return test.value === '' ? [] : [startsWith(start, cut(test.value))];
    default:
      return [];
  }
}

/** As a range, which an index has in one place. */
function startsWith(column: RawBuilder<unknown>, text: string): Condition {
  const after = firstAfter(text);
  return after === null ? sql`${column} >= ${text}` : sql`(${column} >= ${text} AND ${column} < ${after})`;
}

/** The first text after all that begin with this one, by the order of code points; null when there is none. */
export function firstAfter(text: string): string | null {
  const characters = [...text];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const next = (last.codePointAt(0) ?? 0) + 1;
    // Surrogates are no characters of their own.
    if (next <= 0x10ffff) return characters.join('') + String.fromCodePoint(next === 0xd800 ? 0xe000 : next);
  }
  return null;
}

/** In characters, as databases count them. */
function length(text: string): number {
  return [...text].length;
}

export function all(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 1` : sql`(${sql.join(conditions, sql` AND `)})`;
}

export function either(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 0` : sql`(${sql.join(conditions, sql` OR `)})`;
}
