/**
 * stored-results: puts reports together again from their rows: what stays the same, and what was measured.
 */
import type { PluginStatus } from '../log/stored-report.ts';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
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
  const agents = await inChunks(distinct, (part) =>
    query.selectFrom('contents').select(['id', 'agent_version']).where('id', 'in', part).execute(),
  );
  const contents = new Map<number, StoredContent>(
    agents.map(({ id, agent_version: agentVersion }) => [id, { agentVersion, results: [] }]),
  );
  for (const { content, facts, shape, status, ...row } of rows) {
    contents.get(content)?.results.push({
      ...row,
      status: status as PluginStatus,
      facts: facts === null ? null : JSON.parse(facts),
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
