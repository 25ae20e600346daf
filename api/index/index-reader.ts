/**
 * index-reader: answers questions from the index, in either dialect.
 */
import { sql } from 'kysely';
import { countChanges, countChangesOf, listChanges, listChangesOf } from './change-list.ts';
import { inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { countFacts, distributeFacts } from './fact-counts.ts';
import { reportCondition } from './filter-condition.ts';
import { readHostFacts } from './host-facts.ts';
import { countHosts, hostNumbers, listHosts, readHosts } from './host-list.ts';
import { newestReport } from './host-moment.ts';
import type { IndexReader, ReportRow } from './index-store.ts';
import { latestResults } from './latest-results.ts';
import { listPaths } from './path-list.ts';
import { countReports, countReportsBy, countReportsOf, listReports, listReportsOf } from './report-list.ts';
import { withResults } from './stored-results.ts';

export function makeIndexReader(database: Database): IndexReader {
  const { query, toUuid } = database;

  async function reportsById(ids: readonly string[]): Promise<(ReportRow | null)[]> {
    const rows = await inChunks(new Set(ids), (part) =>
      query.selectFrom('reports').selectAll().where('id', 'in', part.map(toUuid)).execute(),
    );
    if (rows.length === 0) return ids.map(() => null);
    const byId = new Map((await withResults(database, rows)).map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** What `find` gives for the hosts' numbers, in the order of their ids. */
  async function ofHosts<T>(
    ids: readonly string[],
    find: (numbers: number[]) => Promise<Map<number, T>>,
    none: T,
  ): Promise<T[]> {
    const numbers = await hostNumbers(database, ids);
    const found = await find([...numbers.values()]);
    return ids.map((id) => found.get(numbers.get(id) ?? 0) ?? none);
  }

  return {
    reportsById,
    async reports(listing, slice) {
      return withResults(database, await listReports(database, listing, slice));
    },
    async reportsAmong(ids, filter) {
      const passing = await inChunks(new Set(ids), (part) =>
        query
          .selectFrom('reports as r')
          .select('r.id')
          .where('r.id', 'in', part.map(toUuid))
          .where(reportCondition(database, filter))
          .execute(),
      );
      const known = new Set(passing.map(({ id }) => database.fromUuid(id)));
      const found = await reportsById(ids.filter((id) => known.has(id)));
      return found.filter((report) => report !== null);
    },
    countReports: (filter) => countReports(database, filter),
    reportsOfHosts: (ids, listing, slice) =>
      ofHosts(
        ids,
        async (numbers) => {
          const byHost = await listReportsOf(database, numbers, listing, slice);
          const reports = await withResults(database, [...byHost.values()].flat());
          let from = 0;
          return new Map(
            [...byHost].map(([host, { length }]) => {
              from += length;
              return [host, reports.slice(from - length, from)];
            }),
          );
        },
        [],
      ),
    countReportsOfHosts: (ids, filter) =>
      ofHosts(ids, (numbers) => countReportsOf(database, numbers, filter), 0),
    async reportsAt(hosts) {
      const newest = await inChunks(
        [...hosts.entries()],
        async (part) => {
          const asked = part.map(
            ([number, { id, at }]) =>
              sql`SELECT ${sql.lit(number)} AS number, ${newestReport(sql`h.id`, 'id', sql`${at}`)} AS report
              FROM hosts h WHERE h.uuid = ${toUuid(id)}`,
          );
          type Found = { number: number; report: Uint8Array | string | null };
          return (await sql<Found>`${sql.join(asked, sql` UNION ALL `)}`.execute(query)).rows;
        },
        200,
      );
      const ids = new Map(
        newest.flatMap(({ number, report }) =>
          report === null ? [] : [[Number(number), database.fromUuid(report)] as const],
        ),
      );
      const reports = await reportsById([...ids.values()]);
      const byNumber = new Map([...ids.keys()].map((number, index) => [number, reports[index] ?? null]));
      return hosts.map((_host, number) => byNumber.get(number) ?? null);
    },
    reportCounts: (filter, by) => countReportsBy(database, filter, by),
    hosts: (listing, slice) => listHosts(database, listing, slice),
    countHosts: (question) => countHosts(database, question),
    async hostsById(ids) {
      const numbers = await hostNumbers(database, ids);
      const hosts = await readHosts(database, [...numbers.values()], null);
      return ids.map((id) => hosts.get(numbers.get(id) ?? 0) ?? null);
    },
    latestResults: (ids, asOf) => latestResults(database, ids, asOf),
    changes: (filter, slice) => listChanges(database, filter, slice),
    countChanges: (filter) => countChanges(database, filter),
    changesOf: (owner, ids, filter, slice) => listChangesOf(database, owner, ids, filter, slice),
    countChangesOf: (owner, ids, filter) => countChangesOf(database, owner, ids, filter),
    factCounts: (question) => countFacts(database, question),
    factDistributions: (question) => distributeFacts(database, question),
    pathsOf: (plugin, limit, hosts = null) => listPaths(database, plugin, limit, hosts),
    hostFacts: (asked) => readHostFacts(database, asked),
    async ping() {
      await query.selectFrom('meta').select('name').limit(1).execute();
    },
  };
}
