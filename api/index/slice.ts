/** slice: cuts a stretch out of an ordered list: by one column, then by id, so that what comes or goes moves nothing. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Condition } from './filter-condition.ts';
import type { Direction, Position, Slice } from './index-store.ts';

/** @param by column of the order; @param id column that tells equals apart */
export function sliceOf(
  { toUuid }: Pick<Database, 'toUuid'>,
  by: string,
  id: string,
  direction: Direction,
  slice: Slice,
) {
  const { after, before, limit, fromEnd = false } = slice;
  const descending = direction === 'DESC';
  const [column, idColumn] = [sql.ref(by), sql.ref(id)];
  // The first column alone as well: that is what indexes are by.
  const past = ({ value, id: place }: Position, way: '<' | '>'): Condition =>
    sql`(${column} ${sql.raw(`${way}=`)} ${value}
      AND (${column}, ${idColumn}) ${sql.raw(way)} (${value}, ${toUuid(place)}))`;
  const bounds: Condition[] = [];
  if (after) bounds.push(past(after, descending ? '<' : '>'));
  if (before) bounds.push(past(before, descending ? '>' : '<'));
  const way = sql.raw(descending === fromEnd ? 'ASC' : 'DESC');
  return {
    condition: bounds.length === 0 ? sql<boolean>`1 = 1` : sql<boolean>`(${sql.join(bounds, sql` AND `)})`,
    order: (columnName: RawBuilder<unknown>, idName: RawBuilder<unknown>) =>
      sql`ORDER BY ${columnName} ${way}, ${idName} ${way} LIMIT ${sql.lit(limit)}`,
    descending: descending !== fromEnd,
    inOrder: <R>(rows: R[]) => (fromEnd ? rows.reverse() : rows),
  };
}
