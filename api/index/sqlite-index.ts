/**
 * sqlite-index: the index embedded in the API's own process, on node:sqlite.
 *
 * SQLite answers on the calling thread; the promises of the interface are for dialects that do not.
 */
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { PluginStatus } from '../log/stored-report.ts';
import type {
  Direction,
  HostOrderField,
  HostRow,
  IndexStore,
  ReportOrderField,
  ReportRow,
  ResultRow,
  Slice,
} from './index-store.ts';
import { join, raw, type Sql, sql } from './sql.ts';
import { hostCondition, reportCondition } from './sql-filter.ts';
import { openSqliteFile } from './sqlite-schema.ts';
import { sqliteWriter } from './sqlite-writer.ts';

export type SqliteIndexOptions = {
  file: string;
  /** Where the bucket is that this is a view of. */
  bucket: string;
  /** Those whose facts can be filtered by. */
  plugins: readonly AnyPlugin[];
  /** Told when a file was there that could not be used and was deleted. */
  onDiscard?: (reason: string) => void;
};

type Row = Record<string, unknown>;

/** Which rows, and the order they are in: by one column, then by id. */
type Selection = {
  columns: Sql;
  table: string;
  id: string;
  by: string;
  direction: Direction;
  condition: Sql;
};

const reportOrder: Record<ReportOrderField, string> = {
  COLLECTED_AT: 'r.collected_at',
  RECEIVED_AT: 'r.received_at',
};
const hostOrder: Record<HostOrderField, string> = {
  NAME: 'h.name',
  FIRST_SEEN_AT: 'h.first_seen_at',
  LAST_SEEN_AT: 'h.last_seen_at',
};

const reportColumns = raw('r.seq, r.id, r.host_id, r.agent_version, r.collected_at, r.received_at');
const hostColumns = raw(
  'h.id, h.name, h.labels, h.agent_version, h.interval_seconds, h.first_seen_at, h.last_seen_at',
);
const resultColumns = raw('x.plugin, x.version, x.status, x.duration_ms, x.error, x.readings, f.facts');

export function openSqliteIndex({ file, bucket, plugins, onDiscard }: SqliteIndexOptions): IndexStore {
  const { db, discarded } = openSqliteFile(file, bucket);
  if (discarded) onDiscard?.(discarded);
  const writer = sqliteWriter(db, plugins);
  const all = (query: Sql): Row[] => db.prepare(query.text).all(...query.params);

  function withResults(rows: Row[]): ReportRow[] {
    const bySeq = new Map<unknown, ResultRow[]>(rows.map((row) => [row.seq, []]));
    const results = all(sql`SELECT x.report, ${resultColumns} FROM results x
      LEFT JOIN fact_sets f ON f.id = x.fact_set
      WHERE x.report IN (${join(
        rows.map((row) => Number(row.seq)),
        ', ',
      )}) ORDER BY x.report, x.position`);
    for (const row of results) bySeq.get(row.report)?.push(toResult(row));
    return rows.map((row) => toReport(row, bySeq.get(row.seq) ?? []));
  }

  function select({ columns, table, id, by, direction, condition }: Selection, slice: Slice): Row[] {
    const { after, before, limit, fromEnd = false } = slice;
    const descending = direction === 'DESC';
    const place = sql`(${raw(by)}, ${raw(id)})`;
    const bounds = [condition];
    if (after) bounds.push(sql`${place} ${raw(descending ? '<' : '>')} (${after.value}, ${after.id})`);
    if (before) bounds.push(sql`${place} ${raw(descending ? '>' : '<')} (${before.value}, ${before.id})`);
    const way = raw(descending === fromEnd ? 'ASC' : 'DESC');
    const rows = all(sql`SELECT ${columns} FROM ${raw(table)} WHERE ${join(bounds, ' AND ')}
      ORDER BY ${raw(by)} ${way}, ${raw(id)} ${way} LIMIT ${limit}`);
    return fromEnd ? rows.reverse() : rows;
  }

  const count = (table: string, condition: Sql): number =>
    Number(all(sql`SELECT count(*) AS n FROM ${raw(table)} WHERE ${condition}`)[0]?.n);

  return {
    async report(id) {
      return withResults(all(sql`SELECT ${reportColumns} FROM reports r WHERE r.id = ${id}`))[0] ?? null;
    },
    async reports({ filter, order }, slice) {
      const selection = {
        columns: reportColumns,
        table: 'reports r',
        id: 'r.id',
        by: reportOrder[order.field],
      };
      const condition = reportCondition(filter);
      return withResults(select({ ...selection, condition, direction: order.direction }, slice));
    },
    async countReports(filter) {
      return count('reports r', reportCondition(filter));
    },
    async hosts({ filter, order }, slice) {
      const selection = { columns: hostColumns, table: 'hosts h', id: 'h.id', by: hostOrder[order.field] };
      const condition = hostCondition(filter);
      return select({ ...selection, condition, direction: order.direction }, slice).map(toHost);
    },
    async countHosts(filter) {
      return count('hosts h', hostCondition(filter));
    },
    async hostsById(ids) {
      const rows = all(sql`SELECT ${hostColumns} FROM hosts h WHERE h.id IN (${join(ids, ', ')})`).map(
        toHost,
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    },
    async latestResults(hostIds) {
      const byHost = new Map<unknown, ResultRow[]>(hostIds.map((id) => [id, []]));
      const rows = all(sql`SELECT l.host_id, ${resultColumns} FROM latest_results l
        JOIN results x ON x.report = l.report AND x.position = l.position
        LEFT JOIN fact_sets f ON f.id = x.fact_set WHERE l.host_id IN (${join(hostIds, ', ')})`);
      for (const row of rows) byHost.get(row.host_id)?.push(toResult(row));
      return hostIds.map((id) => byHost.get(id) ?? []);
    },
    async ping() {
      db.prepare('SELECT 1 FROM segments LIMIT 1').get();
    },
    async apply(segment) {
      writer.apply(segment);
    },
    async appliedOf(keys) {
      const rows = all(sql`SELECT key FROM segments WHERE key IN (${join(keys, ', ')})`);
      return new Set(rows.map((row) => String(row.key)));
    },
    async mark() {
      return textOrNull(all(sql`SELECT mark FROM catch_up`)[0]?.mark);
    },
    async setMark(mark) {
      all(sql`INSERT OR REPLACE INTO catch_up VALUES (1, ${mark})`);
    },
    close: () => db.close(),
  };
}

function toReport(row: Row, results: ResultRow[]): ReportRow {
  return {
    id: String(row.id),
    hostId: String(row.host_id),
    agentVersion: textOrNull(row.agent_version),
    collectedAt: Number(row.collected_at),
    receivedAt: Number(row.received_at),
    results,
  };
}

function toHost(row: Row): HostRow {
  return {
    id: String(row.id),
    name: String(row.name),
    labels: JSON.parse(String(row.labels)),
    agentVersion: textOrNull(row.agent_version),
    intervalSeconds: numberOrNull(row.interval_seconds),
    firstSeenAt: Number(row.first_seen_at),
    lastSeenAt: Number(row.last_seen_at),
  };
}

function toResult(row: Row): ResultRow {
  return {
    plugin: String(row.plugin),
    version: numberOrNull(row.version),
    status: String(row.status) as PluginStatus,
    durationMs: numberOrNull(row.duration_ms),
    error: textOrNull(row.error),
    facts: jsonOrNull(row.facts),
    readings: jsonOrNull(row.readings),
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function jsonOrNull(value: unknown): unknown {
  return typeof value === 'string' ? JSON.parse(value) : null;
}
