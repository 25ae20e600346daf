/**
 * stored-results: puts reports together again from their rows: what stays the same, and what was measured.
 */
import type { PluginStatus } from '../log/stored-report.ts';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { type HostFacts, hostPlugin } from './digest.ts';
import type { ReportRow, ResultRow } from './index-store.ts';
import { type Json, joinShape } from './shape.ts';
import type { Row } from './tables.ts';

export type StoredContent = {
  agentVersion: string | null;
  results: (Omit<ResultRow, 'durationMs' | 'readings'> & { shape: Json })[];
};

/** By id. */
export async function readStoredContents(
  { query }: Pick<Database, 'query'>,
  ids: Iterable<number>,
): Promise<Map<number, StoredContent>> {
  const distinct = new Set(ids);
  const rows = await inChunks(distinct, (part) =>
    query
      .selectFrom('content_results as x')
      .leftJoin('fact_sets as f', 'f.id', 'x.fact_set')
      .select(['x.content', 'x.plugin', 'x.version', 'x.status', 'x.error', 'x.shape', 'f.facts'])
      .where('x.content', 'in', part)
      .orderBy('x.content')
      .orderBy('x.position')
      .execute(),
  );
  const contents = new Map<number, StoredContent>(
    [...distinct].map((id) => [id, { agentVersion: null, results: [] }]),
  );
  for (const { content: id, facts: text, shape, status, ...row } of rows) {
    const content = contents.get(id);
    const facts = text === null ? null : JSON.parse(text);
    if (row.plugin === hostPlugin) {
      if (content) content.agentVersion = (facts as HostFacts).agentVersion;
      continue;
    }
    content?.results.push({
      ...row,
      status: status as PluginStatus,
      facts,
      shape: shape === null ? null : JSON.parse(shape),
    });
  }
  return contents;
}

export async function withResults(database: Database, rows: readonly Row<'reports'>[]): Promise<ReportRow[]> {
  const [hosts, contents] = await Promise.all([
    hostUuids(
      database,
      rows.map(({ host }) => host),
    ),
    readStoredContents(
      database,
      rows.map(({ content }) => content),
    ),
  ]);
  return rows.map((row) => {
    const content = contents.get(row.content);
    return {
      id: database.fromUuid(row.id),
      hostId: hosts.get(row.host) ?? '',
      agentVersion: content?.agentVersion ?? null,
      collectedAt: row.collected_at,
      receivedAt: row.received_at,
      results: resultsOf(content, row.measured),
    };
  });
}

/** Host uuids by their numbers. */
async function hostUuids({ query, fromUuid }: Database, ids: Iterable<number>): Promise<Map<number, string>> {
  const rows = await inChunks(new Set(ids), (part) =>
    query.selectFrom('hosts').select(['id', 'uuid']).where('id', 'in', part).execute(),
  );
  return new Map(rows.map(({ id, uuid }) => [id, fromUuid(uuid)]));
}

/** Puts what stays the same and what was measured together again. */
export function resultsOf(content: StoredContent | undefined, measured: string): ResultRow[] {
  const values = (JSON.parse(`[${measured}]`) as Json[])[Symbol.iterator]();
  return (content?.results ?? []).map(({ shape, ...result }) => {
    const durationMs = values.next().value as number | null;
    return { ...result, durationMs, readings: shape === null ? null : joinShape(shape, values) };
  });
}
