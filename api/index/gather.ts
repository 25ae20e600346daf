/**
 * gather: lists reports from stretches of few hosts' time, in one statement whatever their number.
 *
 * Newest first it looks only into the stretches that end last, and into further ones while those could hold a newer
 * report than the last one found.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Row } from './tables.ts';
import type { Condition } from './test-condition.ts';

/** Reports of a host within a stretch of the time they are listed by, both ends included; null is open. */
export type HostSpan = {
  host: number;
  first: number | null;
  last: number | null;
  /** No report in it is newer; null where that is not known. */
  newest: number | null;
};

export type Gathering = {
  /** A column of `reports r`, and what reports are listed by. */
  by: 'collected_at' | 'received_at';
  /** On `reports r`. */
  condition: Condition;
  /** `ORDER BY … LIMIT …` of these columns. */
  order(by: RawBuilder<unknown>, id: RawBuilder<unknown>): RawBuilder<unknown>;
  limit: number;
  descending: boolean;
};

/** @returns as many as the limit says, of all stretches together */
export async function gatherReports(
  database: Database,
  spans: readonly HostSpan[],
  gathering: Gathering,
): Promise<Row<'reports'>[]> {
  const { limit, by, descending } = gathering;
  const endOf = ({ newest }: HostSpan) => newest ?? forever;
  const inTurn = descending ? spans.toSorted((a, b) => endOf(b) - endOf(a)) : spans;
  let found: Row<'reports'>[] = [];
  let size = descending ? Math.max(limit, fewSpans) : spans.length;
  for (let from = 0; from < inTurn.length; size *= 4) {
    const part = inTurn.slice(from, from + size);
    from += size;
    const more = await gather(database, part, gathering, true);
    found = found.length === 0 ? more : inOrder(database, [...found, ...more], gathering).slice(0, limit);
    const last = found[limit - 1];
    const next = inTurn[from];
    if (last && next && last[by] > endOf(next)) break;
  }
  return found;
}

/** As many as the limit says of each stretch, in no order of the stretches. */
export function gatherEach(
  database: Database,
  spans: readonly HostSpan[],
  gathering: Gathering,
): Promise<Row<'reports'>[]> {
  return gather(database, spans, gathering, false);
}

const fewSpans = 20;
/** After every instant, and a whole number in JSON as in SQL. */
const forever = 2 ** 52;

const columns = ['id', 'host', 'collected_at', 'received_at', 'content', 'measured'] as const;

async function gather(
  { dialect, query }: Database,
  spans: readonly HostSpan[],
  { by, condition, order }: Gathering,
  together: boolean,
): Promise<Row<'reports'>[]> {
  if (spans.length === 0) return [];
  const of = (row: string, name: string) => sql.ref(`${row}.${name}`);
  const rows = spans.map(({ host, first, last }) => [host, first ?? 0, last ?? forever]);
  const chosen = sql`FROM reports r WHERE r.host = s.host AND ${of('r', by)} BETWEEN s.first AND s.last
    AND ${condition} ${order(of('r', by), of('r', 'id'))}`;
  const selected = sql.join(columns.map((name) => of('o', name)));
  const end = together ? order(of('o', by), of('o', 'id')) : sql``;
  const { rows: found } = await (dialect === 'sqlite'
    ? // SQLite has no LATERAL, but looks up the rows that a subquery of each stretch names.
      sql<
        Row<'reports'>
      >`SELECT ${selected} FROM (SELECT value ->> 0 AS host, value ->> 1 AS first, value ->> 2 AS last
        FROM json_each(${JSON.stringify(rows)})) s
        CROSS JOIN reports o ON o.rowid IN (SELECT r.rowid ${chosen}) ${end}`
    : sql<Row<'reports'>>`SELECT ${selected} FROM unnest(${sql.join(
        [0, 1, 2].map((column) => sql`${rows.map((row) => row[column])}::bigint[]`),
      )}) AS s (host, first, last)
        CROSS JOIN LATERAL (SELECT r.* ${chosen}) o ${end}`
  ).execute(query);
  return found;
}

export function inOrder(
  { fromUuid }: Pick<Database, 'fromUuid'>,
  rows: readonly Row<'reports'>[],
  { by, descending }: Pick<Gathering, 'by' | 'descending'>,
): Row<'reports'>[] {
  return rows.toSorted((a, b) => {
    const order = a[by] - b[by] || (fromUuid(a.id) < fromUuid(b.id) ? -1 : 1);
    return descending ? -order : order;
  });
}
