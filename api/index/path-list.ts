/** path-list: the paths of the facts that hosts have told of a plugin, in their order. */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { HostFilter } from './filter.ts';
import { passingHosts } from './host-plan.ts';
import type { Condition } from './test-condition.ts';

/** @param hosts only what these have told; null for all */
export async function listPaths(
  database: Database,
  plugin: string,
  limit: number,
  hosts: HostFilter | null,
): Promise<string[]> {
  // The character after the dot ends what begins with the name and a dot.
  const isOfPlugin = sql<boolean>`p.path >= ${`${plugin}.`} AND p.path < ${`${plugin}/`}`;
  const { rows } = await sql<{ path: string }>`SELECT p.path FROM paths p
    WHERE ${isOfPlugin} AND ${hosts ? await isToldBy(database, isOfPlugin, hosts) : sql`1 = 1`}
    ORDER BY p.path LIMIT ${sql.lit(limit)}`.execute(database.query);
  return rows.map(({ path }) => path);
}

/**
 * That one of the hosts has told a value at `paths p`, or another than before: what a plugin tells beyond what it declares is
 * in its changes alone. From what few hosts told, or else from what was told at each path.
 */
async function isToldBy(database: Database, isOfPlugin: Condition, hosts: HostFilter): Promise<Condition> {
  const { few, isOne } = await passingHosts(database, hosts);
  const values = [
    sql`host_fact_sets s JOIN fact_values v ON v.fact_set = s.fact_set`,
    // What is in the elements of long lists.
    sql`host_fact_sets s JOIN fact_set_blocks b ON b.fact_set = s.fact_set
      JOIN block_elements e ON e.block = b.block JOIN fact_values v ON v.fact_set = -e.element`,
  ];
  const differences = sql`changes c JOIN differences d ON d.before = c.before AND d.after = c.after`;
  if (few) {
    const ofPlugin = sql`(SELECT p.id FROM paths p WHERE ${isOfPlugin})`;
    const told = values.map(
      (from) => sql`SELECT v.path FROM ${from} WHERE ${isOne(sql`s.host`)} AND v.path IN ${ofPlugin}`,
    );
    return sql`p.id IN (${sql.join(told, sql` UNION `)}
      UNION SELECT d.path FROM ${differences} WHERE ${isOne(sql`c.host`)} AND d.path IN ${ofPlugin})`;
  }
  // In so many words, as that is what the indexes of values are by; a record in a list is one of a list that has a length.
  const told = values.flatMap((from) =>
    [sql`v.text`, sql`v.number`].map(
      (column) => sql`EXISTS (SELECT 1 FROM ${from}
        WHERE v.path = p.id AND ${column} IS NOT NULL AND ${isOne(sql`s.host`)} LIMIT 1 OFFSET 0)`,
    ),
  );
  return sql`(${sql.join(told, sql` OR `)} OR EXISTS (SELECT 1 FROM ${differences}
    WHERE d.path = p.id AND ${isOne(sql`c.host`)} LIMIT 1 OFFSET 0))`;
}
