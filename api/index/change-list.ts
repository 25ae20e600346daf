/**
 * change-list: lists and counts what changed, field by field, the newest first.
 *
 * A change of facts is a row of `changes`; what it consists of are the `differences` of its two fact sets. Where there is
 * nothing on one side, the facts of the other are the one difference.
 */
import { type RawBuilder, sql } from 'kysely';
import { factSetHash } from '../../plugins/fact-set.ts';
import { pathRoot, pluginOf } from './catalog.ts';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { textOfFacts } from './facts-text.ts';
import type { ChangeFilter } from './filter.ts';
import { isInitial } from './filter-condition.ts';
import { hostNumbers } from './host-list.ts';
import { passingHosts } from './host-plan.ts';
import type { ChangeOwner, ChangePosition, ChangeRow, ChangeSlice } from './index-store.ts';
import type { StoredUuid } from './tables.ts';
import { all, type Condition } from './test-condition.ts';

type Found = {
  host: number;
  plugin: string;
  at: number;
  report: StoredUuid;
  before: number | null;
  after: number | null;
  number: number;
  path: string | null;
  keys: string | null;
  before_value: string | null;
  after_value: string | null;
};

const columns = sql`c.host, c.plugin, c.at, c.report, c.before, c.after, coalesce(d.position, 0) AS number,
  p.path, d.keys, d.before_value, d.after_value`;
const place = sql`c.at, c.report, c.plugin, coalesce(d.position, 0)`;
/** No row of `differences` where one side has nothing; two fact sets that differ in order alone have none either. */
const isTold: Condition = sql`(d.before IS NOT NULL OR c.before IS NULL OR c.after IS NULL)`;

export async function listChanges(
  database: Database,
  filter: ChangeFilter,
  slice: ChangeSlice,
): Promise<ChangeRow[]> {
  if (slice.limit === 0) return [];
  const { rows } = await sql<Found>`SELECT ${columns} ${await source(database, filter)}
    AND ${cut(database, slice)} ${order(slice)}`.execute(database.query);
  return toRows(database, slice.fromEnd ? rows.reverse() : rows);
}

export async function countChanges(database: Database, filter: ChangeFilter): Promise<number> {
  const { rows } = await sql<{ n: number }>`SELECT count(*) AS n ${await source(database, filter)}`.execute(
    database.query,
  );
  return Number(rows[0]?.n);
}

/** SQLite joins 500 queries at most. */
const ownersPerStatement = 200;

/** The same stretch of the list of each host or report, in the order of the ids. */
export async function listChangesOf(
  database: Database,
  owner: ChangeOwner,
  ids: readonly string[],
  filter: ChangeFilter,
  slice: ChangeSlice,
): Promise<ChangeRow[][]> {
  if (slice.limit === 0) return ids.map(() => []);
  const from = await source(database, filter);
  const owned = await ownedBy(database, owner, ids);
  const rows = await inChunks(
    owned,
    async (part) => {
      const parts = part.map(
        (isOwn, number) => sql`SELECT * FROM (SELECT ${columns} ${from} AND ${isOwn}
          AND ${cut(database, slice)} ${order(slice)}) AS ${sql.raw(`p${number}`)}`,
      );
      return (await sql<Found>`${sql.join(parts, sql` UNION ALL `)}`.execute(database.query)).rows;
    },
    ownersPerStatement,
  );
  const byOwner = Map.groupBy(await toRows(database, rows), (row) =>
    owner === 'host' ? row.hostId : row.reportId,
  );
  return ids.map((id) => {
    const own = byOwner.get(id) ?? [];
    return slice.fromEnd ? own.toReversed() : own;
  });
}

/** In the order of the ids. */
export async function countChangesOf(
  database: Database,
  owner: ChangeOwner,
  ids: readonly string[],
  filter: ChangeFilter,
): Promise<number[]> {
  const { query, toUuid, fromUuid } = database;
  const from = await source(database, filter);
  const uuid = owner === 'host' ? sql`(SELECT h.uuid FROM hosts h WHERE h.id = c.host)` : sql`c.report`;
  const rows = await inChunks(ids, async (part) => {
    const isOwn =
      owner === 'report'
        ? ofReports(database, part)
        : sql`c.host IN (SELECT h.id FROM hosts h WHERE h.uuid IN (${sql.join(part.map(toUuid))}))`;
    const found = await sql<{ uuid: StoredUuid; n: number }>`SELECT uuid, count(*) AS n
      FROM (SELECT ${uuid} AS uuid ${from} AND ${isOwn}) AS owned GROUP BY uuid`.execute(query);
    return found.rows;
  });
  const counts = new Map(rows.map((row) => [fromUuid(row.uuid), Number(row.n)]));
  return ids.map((id) => counts.get(id) ?? 0);
}

/** A condition for each host or report that is there. */
async function ownedBy(database: Database, owner: ChangeOwner, ids: readonly string[]): Promise<Condition[]> {
  if (owner === 'report') return ids.map((id) => ofReports(database, [id]));
  const numbers = await hostNumbers(database, ids);
  return [...numbers.values()].map((host) => sql`c.host = ${host}`);
}

/** `FROM … WHERE …`, to which conditions can be added. */
async function source(database: Database, filter: ChangeFilter): Promise<RawBuilder<unknown>> {
  const { host, reports, plugin, path, start, end, before, after, initial } = filter;
  const conditions: Condition[] = [database.checkpoint(sql`c.host`), isTold];
  if (!initial) conditions.push(sql`NOT ${isInitial}`);
  if (plugin !== null) conditions.push(sql`c.plugin = ${pluginOf(plugin)}`);
  if (start !== null) conditions.push(sql`c.at >= ${start}`);
  if (end !== null) conditions.push(sql`c.at < ${end}`);
  const named = plugin ?? path?.split('.')[0] ?? null;
  if (before !== null) conditions.push(hasValue('before', before, named));
  if (after !== null) conditions.push(hasValue('after', after, named));
  if (host) conditions.push((await passingHosts(database, host)).isOne(sql`c.host`));
  if (reports) conditions.push(ofReports(database, reports));
  if (path !== null) conditions.push(await atPath(database, path));
  return sql`FROM changes c LEFT JOIN differences d ON d.before = c.before AND d.after = c.after
    LEFT JOIN paths p ON p.id = d.path WHERE ${all(conditions)}`;
}

/** That a side is this value; where a plugin's facts came or went, all of them together. */
function hasValue(side: 'before' | 'after', value: string, plugin: string | null): Condition {
  const ofFact = sql<boolean>`${sql.ref(`d.${side}_value`)} = ${value}`;
  if (plugin === null || !value.startsWith('{')) return ofFact;
  const hash = factSetHash(pluginOf(plugin), JSON.parse(value));
  return sql`(${ofFact} OR (d.before IS NULL AND ${sql.ref(`c.${side}`)} = (
    SELECT f.id FROM fact_sets f WHERE f.hash = ${hash})))`;
}

/** From the reports to the changes by their whole key. */
function ofReports({ toUuid }: Database, reports: readonly string[]): Condition {
  if (reports.length === 0) return sql`1 = 0`;
  return sql`(c.host, c.plugin, c.at, c.report) IN (
    SELECT r.host, x.plugin, CASE WHEN r.collected_at < r.received_at THEN r.collected_at ELSE r.received_at END, r.id
    FROM reports r JOIN content_results x ON x.content = r.content
    WHERE r.id IN (${sql.join(reports.map(toUuid))}))`;
}

/** With more pairs of fact sets than these, walking the order of time finds a page sooner. */
const maxPairs = 500;

/** That a difference is at the path or below it; also that a whole plugin's facts came or went, where it is the plugin's. */
async function atPath({ query }: Database, path: string): Promise<Condition> {
  // The character after the dot ends what begins with the path and a dot.
  const below = sql<number>`SELECT q.id FROM paths q WHERE q.path = ${path}
    OR (q.path >= ${`${path}.`} AND q.path < ${`${path}/`})`;
  const isAt = sql<boolean>`d.path IN (${below})`;
  const whole = sql<boolean>`(d.before IS NULL AND c.plugin = ${pluginOf(path)})`;
  const root = path.split('.')[0] ?? path;
  if (path === root) return sql`(${isAt} OR ${whole})`;
  const pairs = await sql<{
    before: number;
    after: number;
  }>`SELECT DISTINCT d.before, d.after FROM differences d
    WHERE ${isAt} LIMIT ${sql.lit(maxPairs + 1)}`.execute(query);
  if (pairs.rows.length === 0) return sql`1 = 0`;
  if (pairs.rows.length > maxPairs) return isAt;
  const afters = new Set(pairs.rows.map(({ after }) => after));
  return sql`(${isAt} AND c.after IN (${sql.join([...afters])}))`;
}

function cut({ toUuid }: Database, { after, before }: ChangeSlice): Condition {
  const past = ({ at, report, plugin, number }: ChangePosition, way: '<' | '>'): Condition =>
    sql`(c.at ${sql.raw(`${way}=`)} ${at}
      AND (${place}) ${sql.raw(way)} (${at}, ${toUuid(report)}, ${pluginOf(plugin)}, ${number}))`;
  return all([...(after ? [past(after, '<')] : []), ...(before ? [past(before, '>')] : [])]);
}

function order({ limit, fromEnd = false }: ChangeSlice): RawBuilder<unknown> {
  const way = sql.raw(fromEnd ? 'ASC' : 'DESC');
  return sql`ORDER BY c.at ${way}, c.report ${way}, c.plugin ${way}, coalesce(d.position, 0) ${way}
    LIMIT ${sql.lit(limit)}`;
}

async function toRows({ query, fromUuid }: Database, found: readonly Found[]): Promise<ChangeRow[]> {
  const hosts = await inChunks(new Set(found.map(({ host }) => host)), (part) =>
    query.selectFrom('hosts').select(['id', 'uuid']).where('id', 'in', part).execute(),
  );
  const uuids = new Map(hosts.map(({ id, uuid }) => [id, fromUuid(uuid)]));
  const whole = found
    .filter(({ path }) => path === null)
    .flatMap(({ before, after }) => before ?? after ?? []);
  const factSets = await inChunks(new Set(whole), (part) =>
    query.selectFrom('fact_sets').select(['id', 'facts', 'packed']).where('id', 'in', part).execute(),
  );
  const facts = new Map(factSets.map((row) => [row.id, textOfFacts(row)]));
  const wholeOf = (factSet: number | null) => (factSet === null ? null : (facts.get(factSet) ?? null));
  const parse = (text: string | null) => (text === null ? null : JSON.parse(text));
  return found.map((row) => {
    const root = pathRoot(row.plugin);
    const isWhole = row.path === null;
    return {
      hostId: uuids.get(row.host) ?? '',
      reportId: fromUuid(row.report),
      at: row.at,
      plugin: root,
      path: row.path ?? root,
      keys: parse(row.keys) ?? [],
      before: parse(isWhole ? wholeOf(row.before) : row.before_value),
      after: parse(isWhole ? wholeOf(row.after) : row.after_value),
      number: Number(row.number),
    };
  });
}
