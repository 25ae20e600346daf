/**
 * fact-counts: hosts by the value of a fact, and how numbers are distributed, now or at a moment in the past.
 *
 * A fact in a list counts a host once for each value that it has there.
 */
import { sql } from 'kysely';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { type Counted, countElements, keyOf, withOwnCounts } from './element-counts.ts';
import { textOfFacts } from './facts-text.ts';
import type {
  Distribution,
  FactCount,
  FactCountQuestion,
  FactPath,
  FactStatsQuestion,
  HostQuestion,
} from './index-store.ts';
import { spelledAs } from './spelling.ts';
import { mayBeInElements, ownValues, toldValues } from './told-values.ts';

/** A comparable value, and a fact set that has it. */
type Value = Omit<Counted, 'hosts'>;
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
  const rows = await mostFrequent(database, { filter, asOf }, of, limit);
  const grouped = by ? await groupsOf(database, { filter, asOf }, of, by) : [];
  const [spelled, spelledGroup] = await Promise.all([
    spell(database, of, rows),
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

async function mostFrequent(
  database: Database,
  question: HostQuestion,
  of: FactPath,
  limit: number,
): Promise<Counted[]> {
  const told = await ownValues(database, question, [of]);
  const isInElements = await mayBeInElements(database, [of]);
  const { rows } = await sql<Counted>`
    SELECT v.text, v.number, min(${told.factSet('v')}) AS sample, count(DISTINCT ${told.host}) AS hosts
    FROM ${told.from}
    GROUP BY v.text, v.number ORDER BY hosts DESC, v.text NULLS FIRST, v.number NULLS FIRST
    ${isInElements ? sql`` : sql`LIMIT ${sql.lit(limit)}`}`.execute(database.query);
  if (!isInElements) return rows;
  return withOwnCounts(await countElements(database, question, of), rows).slice(0, limit);
}

async function groupsOf(
  database: Database,
  question: HostQuestion,
  of: FactPath,
  by: FactPath,
): Promise<Grouped[]> {
  const told = await toldValues(database, question, [of, by]);
  const { rows } = await sql<Grouped>`${told.with}
    SELECT v.text, v.number, min(${told.factSet('v')}) AS sample, count(DISTINCT ${told.host}) AS hosts,
      w.text AS group_text, w.number AS group_number, min(${told.factSet('w')}) AS group_sample
    FROM ${told.from}
    GROUP BY v.text, v.number, w.text, w.number
    ORDER BY hosts DESC, w.text, w.number LIMIT ${sql.lit(maxGroups)}`.execute(database.query);
  return rows;
}

export async function distributeFacts(
  database: Database,
  { of, by, filter, asOf }: FactStatsQuestion,
): Promise<Distribution[]> {
  const told = await toldValues(database, { filter, asOf }, by ? [of, by] : [of]);
  const group = by
    ? sql`w.text AS group_text, w.number AS group_number, min(${told.factSet('w')}) AS group_sample`
    : sql`NULL AS group_text, NULL AS group_number, NULL AS group_sample`;
  // A host whose list has a value twice is in the group of that value once.
  const count = by ? sql`count(DISTINCT ${told.host} || ':' || v.fact_set || ':' || v.item)` : sql`count(*)`;
  const { rows } = await sql<Grouped>`${told.with}
    SELECT v.number, ${count} AS hosts, ${group} FROM ${told.from}
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

function groupValue({ group_text, group_number, group_sample }: Grouped): Value {
  return { text: group_text, number: group_number, sample: group_sample };
}

/** Fact sets held at once: one may be some hundred kilobytes. */
const samplesAtOnce = 100;

/** Gives values the spelling that some host told them in: of equal values the same. */
async function spell(
  { query }: Database,
  { plugin, path, compare }: FactPath,
  found: readonly Value[],
): Promise<(value: Value) => unknown> {
  const steps = path.slice(plugin === '' ? path.indexOf('.') + 1 : plugin.length + 1);
  const spellingOf = (value: Value, facts: unknown) => {
    const key = value.text ?? value.number;
    return key === null ? null : spelledAs(compare, key, facts, steps);
  };
  const first = new Map<string, Value & { sample: number }>();
  for (const value of found) {
    const { sample } = value;
    if (sample === null || isSpelled(compare, value)) continue;
    const known = first.get(keyOf(value));
    if (!known || sample < known.sample) first.set(keyOf(value), { ...value, sample });
  }
  const bySample = Map.groupBy(first.entries(), ([, { sample }]) => sample);
  const spelled = new Map<string, unknown>();
  await inChunks(
    bySample.keys(),
    async (samples) => {
      const rows = await query
        .selectFrom('fact_sets')
        .select(['id', 'facts', 'packed'])
        .where('id', 'in', samples)
        .execute();
      for (const row of rows) {
        const facts = JSON.parse(textOfFacts(row));
        for (const [key, value] of bySample.get(row.id) ?? []) spelled.set(key, spellingOf(value, facts));
      }
      return [];
    },
    samplesAtOnce,
  );
  return (value) => spelled.get(keyOf(value)) ?? spellingOf(value, null);
}

/** Whether a key says by itself how its value is written. */
function isSpelled(compare: FactPath['compare'], { text }: Value): boolean {
  if (compare === null) return text !== null;
  return compare !== 'version';
}
