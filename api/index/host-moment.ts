/**
 * host-moment: what of `hosts h` holds now or held at a moment in the past, as SQL expressions.
 *
 * Now is what the writer keeps at hand; the past is what the changes until then come to.
 */
import { type RawBuilder, sql } from 'kysely';
import { hostPathRoot, hostPlugin } from './digest.ts';
import { pathId } from './fact-condition.ts';
import type { Condition } from './test-condition.ts';

type Expression = RawBuilder<unknown>;

export type HostMoment = {
  /** Whether the host had told anything by then. */
  exists: Condition;
  /** The fact set that a plugin had told last; null when it had told none. */
  factSet(plugin: string): Expression;
  /** Of the newest report. */
  content: Expression;
  lastSeenAt: Expression;
  name: Expression;
  /** How often it reports; null when that is not known. */
  intervalSeconds: Expression;
  /** A query of the `host`s which may then have had a fact set as their latest that a condition on `s.fact_set` holds for. */
  withFactSets(condition: Condition): Expression;
};

/** @param asOf milliseconds since 1970; null for now */
export function hostsAt(asOf: number | null): HostMoment {
  return asOf === null ? present : past(asOf);
}

const present: HostMoment = {
  exists: sql`1 = 1`,
  factSet: latest,
  content: sql`h.content`,
  lastSeenAt: sql`h.last_seen_at`,
  name: sql`h.name`,
  intervalSeconds: hostFact(latest(hostPlugin), 'intervalSeconds', 'number'),
  withFactSets: (condition) => sql`SELECT s.host FROM host_plugins s WHERE ${condition}`,
};

function latest(plugin: string): Expression {
  return sql`(SELECT p.fact_set FROM host_plugins p WHERE p.host = h.id AND p.plugin = ${plugin})`;
}

function past(asOf: number): HostMoment {
  const factSet = (plugin: string) => sql`(SELECT c.after FROM changes c
    WHERE c.host = h.id AND c.plugin = ${plugin} AND c.at <= ${asOf}
    ORDER BY c.at DESC, c.report DESC LIMIT 1)`;
  return {
    exists: sql`${factSet(hostPlugin)} IS NOT NULL`,
    factSet,
    content: newestReport(sql`h.id`, 'content', sql`${asOf}`),
    lastSeenAt: newestReport(sql`h.id`, 'received_at', sql`${asOf}`),
    name: hostFact(factSet(hostPlugin), 'name', 'text'),
    intervalSeconds: hostFact(factSet(hostPlugin), 'intervalSeconds', 'number'),
    withFactSets: (condition) => sql`SELECT s.host FROM host_fact_sets s
      WHERE ${condition} AND s.first_at <= ${asOf}`,
  };
}

function hostFact(factSet: Expression, field: string, column: 'text' | 'number'): Expression {
  return sql`(SELECT n.${sql.raw(column)} FROM fact_values n WHERE n.fact_set = ${factSet}
    AND n.path = ${pathId(`${hostPathRoot}.${field}`)} AND n.item = '')`;
}

/**
 * A column of the newest report that a host had sent by a moment.
 *
 * A report counts from its host's clock or the server's, whichever was behind: each has an index of its own for the
 * reports whose it is.
 */
export function newestReport(
  host: Expression,
  column: 'id' | 'content' | 'received_at',
  asOf: Expression,
): Expression {
  const taken = sql.raw(column);
  const newest = (told: string, comparison: string) => sql`SELECT * FROM (
    SELECT r.${sql.raw(told)} AS told, r.id AS report, r.${taken} AS taken FROM reports r
    WHERE r.host = ${host} AND r.${sql.raw(told)} <= ${asOf} AND r.collected_at ${sql.raw(comparison)} r.received_at
    ORDER BY r.${sql.raw(told)} DESC, r.id DESC LIMIT 1) ${sql.raw(told)}`;
  return sql`(SELECT t.taken FROM (${newest('collected_at', '<=')} UNION ALL ${newest('received_at', '>')}) t
    ORDER BY t.told DESC, t.report DESC LIMIT 1)`;
}
