/** among: that a column is one of some whole numbers, as one value of a statement whatever their number. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Condition } from './test-condition.ts';

export function isAmong(
  { dialect }: Pick<Database, 'dialect'>,
  column: RawBuilder<unknown>,
  numbers: readonly number[],
): Condition {
  if (numbers.length === 0) return sql`1 = 0`;
  return dialect === 'sqlite'
    ? sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(numbers)}))`
    : sql`${column} = ANY(${numbers}::bigint[])`;
}
