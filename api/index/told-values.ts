/**
 * told-values: the values of facts that hosts tell, as the rows that a statement counts.
 *
 * A host has a row for each value, and one without any where it tells none.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import { isNoList, pathId } from './fact-condition.ts';
import { hostsAt } from './host-moment.ts';
import { whichHosts } from './host-plan.ts';
import type { FactPath, HostQuestion } from './index-store.ts';
import { all, type Condition } from './test-condition.ts';

/** Rows with the values of the first path under the alias `v`, and of the second under `w`: `text`, `number`, `item`. */
export type ToldValues = {
  /** What the statement begins with. */
  with: RawBuilder<unknown>;
  from: RawBuilder<unknown>;
  host: RawBuilder<unknown>;
  /** The number of the fact set that a value is in. */
  factSet(alias: string): RawBuilder<unknown>;
};

const aliases = ['v', 'w'];

export async function toldValues(
  database: Database,
  question: HostQuestion,
  paths: readonly FactPath[],
): Promise<ToldValues> {
  if (!(await mayBeInElements(database, paths))) return ownValues(database, question, paths);
  const hosts = await factsOfHosts(database, question, paths);
  // Each part of a union names the hosts: these are found out once.
  const named = toldAt(paths);
  const parts = named.map((told) => sql`${sql.raw(told.alias)} AS (${alsoOfElements(database, told)})`);
  const [first, ...others] = named.map(({ alias }) => sql.raw(alias));
  return {
    with: sql`WITH s AS MATERIALIZED (${hosts}), ${sql.join(parts)}`,
    from: sql`${first} ${sql.join(
      others.map(
        (alias) =>
          sql`JOIN ${alias} ON ${alias}.host = ${first}.host AND ${database.checkpoint(sql`${alias}.fact_set`)}`,
      ),
      sql` `,
    )}`,
    host: sql`v.host`,
    factSet: (alias) => sql.ref(`${alias}.told_in`),
  };
}

/** Without those of elements: where a host tells these alone it has a row without any. */
export async function ownValues(
  database: Database,
  question: HostQuestion,
  paths: readonly FactPath[],
): Promise<ToldValues> {
  const hosts = await factsOfHosts(database, question, paths);
  return {
    with: sql``,
    from: sql`(${hosts}) s ${sql.join(toldAt(paths).map(ofFactSets), sql` `)}`,
    host: sql`s.host`,
    factSet: (alias) => sql.ref(`${alias}.fact_set`),
  };
}

/** `host`, and for each path the fact set that it is looked for in, as `fact_set_0` and so on. */
export async function factsOfHosts(
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

/** Whether some long list has one of the paths, or begins it. */
export async function mayBeInElements({ query }: Database, paths: readonly FactPath[]): Promise<boolean> {
  const lists = paths.flatMap(({ path }) =>
    [...path.matchAll(/\.|$/g)].map(({ index }) => path.slice(0, index)),
  );
  const found = await query
    .selectFrom('elements')
    .select('id')
    .where('list', 'in', query.selectFrom('paths').select('id').where('path', 'in', lists))
    .limit(1)
    .execute();
  return found.length > 0;
}

type Told = { alias: string; factSet: string; path: string };

function toldAt(paths: readonly FactPath[]): Told[] {
  return paths.map(({ path }, number) => {
    return { path, alias: aliases[number] ?? '', factSet: `s.fact_set_${number}` };
  });
}

function ofFactSets({ alias, factSet, path }: Told): RawBuilder<unknown> {
  const v = sql.raw(alias);
  return sql`LEFT JOIN fact_values ${v} ON ${v}.fact_set = ${sql.ref(factSet)} AND ${isValueAt(alias, path)}`;
}

function alsoOfElements(database: Database, { alias, factSet, path }: Told): RawBuilder<unknown> {
  const v = sql.raw(alias);
  const told = sql.ref(factSet);
  const taken = ['fact_set', 'item', 'text', 'number'];
  const columns = sql`s.host, ${told} AS told_in, ${sql.join(taken.map((name) => sql.ref(`${alias}.${name}`)))}`;
  const nothing = sql.join(taken.map((name) => sql`NULL AS ${sql.raw(name)}`));
  const own = sql`fact_values ${v} WHERE ${v}.fact_set = ${told} AND ${isValueAt(alias, path)}`;
  // In this order: from hosts to their elements.
  const shared = sql`fact_set_blocks b CROSS JOIN block_elements c CROSS JOIN fact_values ${v}
    WHERE b.fact_set = ${told} AND ${database.checkpoint(sql`b.block`)} AND c.block = b.block AND ${v}.fact_set = -c.element AND ${isValueAt(alias, path)}`;
  return sql`SELECT ${columns} FROM s CROSS JOIN ${own}
    UNION ALL SELECT ${columns} FROM s CROSS JOIN ${shared}
    UNION ALL SELECT s.host, ${told} AS told_in, ${nothing} FROM s
      WHERE NOT EXISTS (SELECT 1 FROM ${own}) AND NOT EXISTS (SELECT 1 FROM ${shared})`;
}

/** That a row of `fact_values` is a value at the path. */
export function isValueAt(alias: string, path: string): Condition {
  const [text, number] = ['text', 'number'].map((name) => sql.ref(`${alias}.${name}`));
  return all([
    sql`${sql.ref(`${alias}.path`)} = ${pathId(path)}`,
    sql`(${text} IS NOT NULL OR ${number} IS NOT NULL)`,
    isNoList(alias),
  ]);
}
