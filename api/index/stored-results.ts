/**
 * stored-results: puts reports together again from their rows: what stays the same, and what was measured.
 */

import { Failure } from '../failure.ts';
import type { PluginStatus } from '../log/stored-report.ts';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { type HostFacts, hostPlugin, toHostFacts } from './digest.ts';
import { textOfFacts } from './facts-text.ts';
import type { ReportRow, ResultRow } from './index-store.ts';
import { type Json, joinShape } from './shape.ts';
import type { Row } from './tables.ts';

/** `shape` is that of its readings; undefined where there are none: that of a lone value is null. */
type StoredResultRow = Omit<ResultRow, 'durationMs' | 'readings'> & { shape: Json | undefined };

export type StoredContent = {
  /** Null where it is not there any more. */
  host: HostFacts | null;
  results: StoredResultRow[];
};

/** By id. */
export async function readStoredContents(
  { query }: Pick<Database, 'query'>,
  ids: Iterable<number>,
): Promise<Map<number, StoredContent>> {
  const distinct = new Set(ids);
  const rows = await inChunks(distinct, (part) =>
    query
      .selectFrom('content_results')
      .select(['content', 'plugin', 'version', 'status', 'error', 'shape', 'fact_set'])
      .where('content', 'in', part)
      .orderBy('content')
      .orderBy('position')
      .execute(),
  );
  const factSets = await readFactSets(
    { query },
    rows.flatMap(({ fact_set }) => fact_set ?? []),
  );
  const contents = new Map<number, StoredContent>(
    [...distinct].map((id) => [id, { host: null, results: [] }]),
  );
  for (const { content: id, fact_set: factSet, shape, status, ...row } of rows) {
    const content = contents.get(id);
    const facts = factSet === null ? null : factSets.get(factSet);
    if (row.plugin === hostPlugin) {
      if (content) content.host = toHostFacts(facts);
      continue;
    }
    content?.results.push({
      ...row,
      status: status as PluginStatus,
      facts,
      shape: shape === null ? undefined : JSON.parse(shape),
    });
  }
  return contents;
}

/** Of all rows of one question: what they take as text is some times that in memory. */
const maxFactsBytes = 64 * 1024 * 1024;
/** Between two looks at how much it has become; one may be some megabytes. */
const factSetsAtOnce = 100;

/** Facts by the numbers of their sets, each read once however many results tell them. */
async function readFactSets(
  { query }: Pick<Database, 'query'>,
  ids: Iterable<number>,
): Promise<Map<number, unknown>> {
  const factSets = new Map<number, unknown>();
  let bytes = 0;
  await inChunks(
    new Set(ids),
    async (part) => {
      const stored = await query
        .selectFrom('fact_sets')
        .select(['id', 'facts', 'packed'])
        .where('id', 'in', part)
        .execute();
      const rows = stored.map((row) => ({ id: row.id, facts: textOfFacts(row) }));
      bytes += rows.reduce((sum, { facts }) => sum + facts.length, 0);
      if (bytes > maxFactsBytes) {
        const most = `${maxFactsBytes / 2 ** 20} MiB`;
        throw new Failure('INVALID', `the facts of these rows take more than ${most}: take smaller pages`);
      }
      for (const { id, facts } of rows) factSets.set(id, JSON.parse(facts));
      return [];
    },
    factSetsAtOnce,
  );
  return factSets;
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
    const { results, droppedReports } = measuredOf(content, row.measured);
    return {
      id: database.fromUuid(row.id),
      hostId: hosts.get(row.host) ?? '',
      agentVersion: content?.host?.agentVersion ?? null,
      collectedAt: row.collected_at,
      receivedAt: row.received_at,
      hostFacts: content?.host ?? null,
      droppedReports,
      results,
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

type Measured = Pick<ReportRow, 'results' | 'droppedReports'>;

/** Puts what stays the same and what was measured together again. */
export function measuredOf(content: StoredContent | undefined, measured: string): Measured {
  const values = (JSON.parse(`[${measured}]`) as Json[])[Symbol.iterator]();
  const results = (content?.results ?? []).map(({ shape, ...result }) => {
    const durationMs = values.next().value as number | null;
    return { ...result, durationMs, readings: shape === undefined ? null : joinShape(shape, values) };
  });
  // Only reports that tell it have one value more.
  return { results, droppedReports: (values.next().value as number | undefined) ?? null };
}
