/**
 * export-rows: what an export goes through, page by page, in an order in which no row ever moves.
 *
 * Reports by when they were collected, hosts by their id: neither changes while an export runs, so a row that was there
 * when it began comes once, whatever arrives meanwhile.
 */

import type { ReportFilter } from '../index/filter.ts';
import type {
  HostQuestion,
  HostRow,
  IndexReader,
  Position,
  ReportRow,
  ResultRow,
} from '../index/index-store.ts';
import { reportPosition } from '../index/index-store.ts';

/** A report that says what it has to say of its host. */
export type ReportOfExport = ReportRow & { hostFacts: NonNullable<ReportRow['hostFacts']> };
/** A host with the newest successful result of each plugin. */
export type HostOfExport = { host: HostRow; results: readonly ResultRow[] };

export type RowSource<Row> = {
  /** The next rows after a place. `last` is the place that they end at, null when there were none. */
  page(
    index: IndexReader,
    after: Position | null,
    limit: number,
  ): Promise<{ rows: Row[]; last: Position | null }>;
};

/** The newest first, by their hosts' clocks. */
export function reportRows(filter: ReportFilter | null): RowSource<ReportOfExport> {
  const order = { field: 'COLLECTED_AT', direction: 'DESC' } as const;
  return {
    async page(index, after, limit) {
      const rows = await index.reports({ filter, order }, { ...(after ? { after } : {}), limit });
      const last = rows.at(-1);
      return {
        // What retention took away between two statements is gone as a whole.
        rows: rows.filter((row): row is ReportOfExport => row.hostFacts !== null),
        last: last ? reportPosition(last, order.field) : null,
      };
    },
  };
}

export function hostRows(question: HostQuestion): RowSource<HostOfExport> {
  const order = { field: 'ID', direction: 'ASC' } as const;
  return {
    async page(index, after, limit) {
      const hosts = await index.hosts({ ...question, order }, { ...(after ? { after } : {}), limit });
      const ids = hosts.map(({ id }) => id);
      const results = ids.length > 0 ? await index.latestResults(ids, question.asOf) : [];
      const last = ids.at(-1);
      return {
        rows: hosts.map((host, number) => ({ host, results: results[number] ?? [] })),
        last: last === undefined ? null : { value: null, id: last },
      };
    },
  };
}
