/** slice: cuts a stretch out of an ordered list: by one value, then by id, so that what comes or goes moves nothing. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Direction, Position, Slice } from './index-store.ts';
import { all, type Condition } from './test-condition.ts';

export type OrderedBy = {
  /** Null: by the id alone. */
  value: RawBuilder<unknown> | null;
  /** Column that tells equals apart. */
  id: RawBuilder<unknown>;
  /** Whether some rows have no value: they come last, whichever way the order runs. */
  nullable?: boolean;
};

export function sliceOf(
  { toUuid }: Pick<Database, 'toUuid'>,
  { value, id, nullable = false }: OrderedBy,
  direction: Direction,
  slice: Slice,
) {
  const { after, before, limit, fromEnd = false } = slice;
  const descending = direction === 'DESC';
  /** Rows that come after the place, or before it. */
  const past = (place: Position, side: 'after' | 'before'): Condition => {
    const way = (side === 'after') === descending ? '<' : '>';
    const ownId = toUuid(place.id);
    if (value === null) return sql`${id} ${sql.raw(way)} ${ownId}`;
    if (place.value === null) {
      const among = sql`(${value} IS NULL AND ${id} ${sql.raw(way)} ${ownId})`;
      return side === 'after' ? sql<boolean>`${among}` : sql`(${value} IS NOT NULL OR ${among})`;
    }
    // The first column alone as well: that is what indexes are by.
    const known = sql`(${value} ${sql.raw(`${way}=`)} ${place.value}
      AND (${value}, ${id}) ${sql.raw(way)} (${place.value}, ${ownId}))`;
    return nullable && side === 'after' ? sql`(${known} OR ${value} IS NULL)` : sql<boolean>`${known}`;
  };
  const bounds: Condition[] = [];
  if (after) bounds.push(past(after, 'after'));
  if (before) bounds.push(past(before, 'before'));
  const way = sql.raw(descending === fromEnd ? 'ASC' : 'DESC');
  const nulls = sql.raw(fromEnd ? 'NULLS FIRST' : 'NULLS LAST');
  return {
    condition: all(bounds),
    order: (by: RawBuilder<unknown> | null, byId: RawBuilder<unknown>) => {
      const first = by === null ? sql`` : sql`${by} ${way} ${nullable ? nulls : sql``}, `;
      return sql`ORDER BY ${first}${byId} ${way} LIMIT ${sql.lit(limit)}`;
    },
    descending: descending !== fromEnd,
    inOrder: <R>(rows: R[]) => (fromEnd ? rows.reverse() : rows),
  };
}
