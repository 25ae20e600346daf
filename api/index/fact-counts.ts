/**
 * fact-counts: hosts by the value of a fact, and how numbers are distributed, now or at a moment in the past.
 *
 * A fact in a list counts a host once for each value that it has there.
 */
import { type RawBuilder, sql } from 'kysely';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { isNoList, pathId } from './fact-condition.ts';
import { hostsAt } from './host-moment.ts';
import type {
  Distribution,
  FactCount,
  FactCountQuestion,
  FactPath,
  FactStatsQuestion,
  HostQuestion,
} from './index-store.ts';
import { whichHosts } from './host-plan.ts';
import { spelledAs } from './spelling.ts';

/** A comparable value, and a fact set that has it. */
type Value = { text: string | null; number: number | null; sample: number | null };
type Counted = Value & { hosts: number };
type Grouped = Counted & {
  group_text: string | null;
  group_number: number | null;
  group_sample: number | null;
};

/** Of all groups together: hosts may differ in every value. */
const maxGroups = 10_000;

export async function countFacts(
  database: Database,
  { of, by, filter, asOf, limit }: FactCountQuestion,
): Promise<FactCount[]> {
  const hosts = await factsOfHosts(database, { filter, asOf }, [of, ...(by ? [by] : [])]);
  const { rows } = await sql<Counted>`
    SELECT v.text, v.number, min(v.fact_set) AS sample, count(DISTINCT s.host) AS hosts
    FROM (${hosts}) s ${values('v', 's.fact_set_0', of)}
    GROUP BY v.text, v.number ORDER BY hosts DESC, v.text, v.number LIMIT ${sql.lit(limit)}`.execute(
    database.query,
  );
  const grouped = by ? await groupsOf(database, hosts, of, by) : [];
  const [spelled, spelledGroup] = await Promise.all([
    spell(database, of, [...rows, ...grouped]),
    by ? spell(database, by, grouped.map(groupValue)) : () => null,
  ]);
  const groups = Map.groupBy(grouped, keyOf);
  return rows.map((row) => ({
    value: spelled(row),
    hosts: Number(row.hosts),
    groups: (groups.get(keyOf(row)) ?? []).map((group) => ({
      value: spelledGroup(groupValue(group)),
      hosts: Number(group.hosts),
      groups: [],
    })),
  }));
}

async function groupsOf(
  database: Database,
  hosts: RawBuilder<unknown>,
  of: FactPath,
  by: FactPath,
): Promise<Grouped[]> {
  const { rows } = await sql<Grouped>`
    SELECT v.text, v.number, min(v.fact_set) AS sample, count(DISTINCT s.host) AS hosts,
      w.text AS group_text, w.number AS group_number, min(w.fact_set) AS group_sample
    FROM (${hosts}) s ${values('v', 's.fact_set_0', of)} ${values('w', 's.fact_set_1', by)}
    GROUP BY v.text, v.number, w.text, w.number
    ORDER BY hosts DESC, w.text, w.number LIMIT ${sql.lit(maxGroups)}`.execute(database.query);
  return rows;
}

export async function distributeFacts(
  database: Database,
  { of, by, filter, asOf }: FactStatsQuestion,
): Promise<Distribution[]> {
  const hosts = await factsOfHosts(database, { filter, asOf }, [of, ...(by ? [by] : [])]);
  const group = by
    ? sql`w.text AS group_text, w.number AS group_number, min(w.fact_set) AS group_sample`
    : sql`NULL AS group_text, NULL AS group_number, NULL AS group_sample`;
  // A host whose list has a value twice is in the group of that value once.
  const count = by ? sql`count(DISTINCT s.host || ':' || v.item)` : sql`count(*)`;
  const { rows } = await sql<Grouped>`
    SELECT v.number, ${count} AS hosts, ${group}
    FROM (${hosts}) s ${values('v', 's.fact_set_0', of)} ${by ? values('w', 's.fact_set_1', by) : sql``}
    WHERE v.number IS NOT NULL
    GROUP BY v.number ${by ? sql`, w.text, w.number` : sql``} ORDER BY v.number`.execute(database.query);
  const groupOf = by ? await spell(database, by, rows.map(groupValue)) : () => null;
  const total = (values: Distribution['values']) => values.reduce((sum, { count }) => sum + count, 0);
  return [...Map.groupBy(rows, (row) => keyOf(groupValue(row))).values()]
    .map((own) => ({
      group: own[0] ? groupOf(groupValue(own[0])) : null,
      values: own.map(({ number, hosts: count }) => ({ value: Number(number), count: Number(count) })),
    }))
    .sort((a, b) => total(b.values) - total(a.values));
}

/** `host`, and for each path the fact set that it is looked for in. */
async function factsOfHosts(
  database: Database,
  { filter, asOf }: HostQuestion,
  paths: readonly FactPath[],
): Promise<RawBuilder<unknown>> {
  const moment = hostsAt(asOf);
  const factSets = paths.map(
    ({ plugin }, number) => sql`${moment.factSet(plugin)} AS ${sql.raw(`fact_set_${number}`)}`,
  );
  return sql`SELECT h.id AS host, ${sql.join(factSets)} FROM hosts h
    WHERE ${await whichHosts(database, filter, asOf, 'all')}`;
}

/** Values of the path, under this alias; one row without any where the fact set has none. */
function values(alias: string, factSet: string, { path }: FactPath): RawBuilder<unknown> {
  const row = sql.raw(alias);
  return sql`LEFT JOIN fact_values ${row} ON ${row}.fact_set = ${sql.ref(factSet)} AND ${row}.path = ${pathId(path)}
    AND (${row}.text IS NOT NULL OR ${row}.number IS NOT NULL) AND ${isNoList(alias)}`;
}

function groupValue({ group_text, group_number, group_sample }: Grouped): Value {
  return { text: group_text, number: group_number, sample: group_sample };
}

function keyOf({ text, number }: Pick<Value, 'text' | 'number'>): string {
  return JSON.stringify([text, number]);
}

/** Gives values the spelling that some host told them in. */
async function spell(
  { query }: Database,
  { plugin, path, compare }: FactPath,
  found: readonly Value[],
): Promise<(value: Value) => unknown> {
  const steps = path.slice(plugin === '' ? path.indexOf('.') + 1 : plugin.length + 1);
  const samples = new Set(found.flatMap((value) => (isSpelled(compare, value) ? [] : (value.sample ?? []))));
  const rows = await inChunks(samples, (part) =>
    query.selectFrom('fact_sets').select(['id', 'facts']).where('id', 'in', part).execute(),
  );
  const facts = new Map(rows.map((row) => [row.id, row.facts]));
  return ({ text, number, sample }) => {
    const key = text ?? number;
    if (key === null) return null;
    const told = sample === null ? undefined : facts.get(sample);
    return spelledAs(compare, key, told === undefined ? null : JSON.parse(told), steps);
  };
}

/** Whether a key says by itself how its value is written. */
function isSpelled(compare: FactPath['compare'], { text }: Value): boolean {
  if (compare === null) return text !== null;
  return compare !== 'version';
}
