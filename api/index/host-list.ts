/** host-list: lists and counts hosts, as they are now or were at a moment in the past. */
import { type RawBuilder, sql } from 'kysely';
import { inChunks } from './chunks.ts';
import { columnOf } from './comparable.ts';
import type { Database } from './database.ts';
import { hostPlugin, toHostFacts } from './digest.ts';
import { pathId } from './fact-condition.ts';
import { type StoredFacts, textOfFacts } from './facts-text.ts';
import { type HostMoment, hostsAt } from './host-moment.ts';
import { whichHosts } from './host-plan.ts';
import type { FactPath, HostListing, HostOrder, HostQuestion, HostRow, Slice } from './index-store.ts';
import { type OrderedBy, sliceOf } from './slice.ts';
import type { StoredUuid } from './tables.ts';

export async function listHosts(
  database: Database,
  { filter, order, asOf }: HostListing,
  slice: Slice,
): Promise<HostRow[]> {
  if (slice.limit === 0) return [];
  const by = orderedBy(hostsAt(asOf), order);
  const cut = sliceOf(database, by, order.direction, slice);
  const { rows } = await sql<{ id: number; by: string | number | null }>`
    SELECT h.id, ${by.value ?? sql`NULL`} AS "by" FROM hosts h
    WHERE ${await whichHosts(database, filter, asOf, 'few')} AND ${cut.condition} ${cut.order(by.value, by.id)}`.execute(
    database.query,
  );
  const hosts = await readHosts(
    database,
    rows.map(({ id }) => id),
    asOf,
  );
  const listed = rows.flatMap(({ id, by: value }): HostRow[] => {
    const host = hosts.get(id);
    return host ? [{ ...host, orderedBy: value }] : [];
  });
  return cut.inOrder(listed);
}

export async function countHosts(database: Database, { filter, asOf }: HostQuestion): Promise<number> {
  const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM hosts h
    WHERE ${await whichHosts(database, filter, asOf, 'all')}`.execute(database.query);
  return Number(rows[0]?.n);
}

function orderedBy(moment: HostMoment, { field, fact }: HostOrder): OrderedBy {
  const id = sql`h.uuid`;
  switch (field) {
    case 'NAME':
      return { id, value: moment.name };
    case 'FIRST_SEEN_AT':
      return { id, value: sql`h.first_seen_at` };
    case 'LAST_SEEN_AT':
      return { id, value: moment.lastSeenAt };
    case 'FACT':
      if (!fact) throw new Error('an order by a fact names it');
      return { id, value: factOf(moment, fact), nullable: true };
    case 'ID':
      return { id, value: null };
  }
}

/** The value of a fact that is in no list. */
function factOf(moment: HostMoment, { plugin, path, compare }: FactPath): RawBuilder<unknown> {
  const column = sql.raw(compare === null ? 'text' : columnOf(compare));
  return sql`(SELECT o.${column} FROM fact_values o WHERE o.fact_set = ${moment.factSet(plugin)}
    AND o.path = ${pathId(path)} AND o.item = '')`;
}

/** By their numbers; without those that had told nothing by then. */
export async function readHosts(
  { query, fromUuid }: Database,
  ids: readonly number[],
  asOf: number | null,
): Promise<Map<number, HostRow>> {
  const moment = hostsAt(asOf);
  type Found = { id: number; uuid: StoredUuid; first_seen_at: number; last_seen_at: number } & StoredFacts;
  const rows = await inChunks(ids, async (part) => {
    const found = await sql<Found>`
      SELECT h.id, h.uuid, h.first_seen_at, ${moment.lastSeenAt} AS last_seen_at, f.facts, f.packed
      FROM hosts h JOIN fact_sets f ON f.id = ${moment.factSet(hostPlugin)}
      WHERE h.id IN (${sql.join(part)})`.execute(query);
    return found.rows;
  });
  return new Map(
    rows.map((row) => {
      const told = toHostFacts(JSON.parse(textOfFacts(row)));
      const [firstSeenAt, lastSeenAt] = [row.first_seen_at, row.last_seen_at];
      const id = fromUuid(row.uuid);
      return [row.id, { id, asOf, ...told, firstSeenAt, lastSeenAt }];
    }),
  );
}

/** The hosts' numbers by their ids; without those that are not there. */
export async function hostNumbers(
  { query, toUuid, fromUuid }: Database,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = await inChunks(ids, (part) =>
    query.selectFrom('hosts').select(['id', 'uuid']).where('uuid', 'in', part.map(toUuid)).execute(),
  );
  return new Map(rows.map(({ id, uuid }) => [fromUuid(uuid), id]));
}
