/**
 * index-store: the interface of the index, the disposable view that answers questions.
 *
 * One behaviour for every dialect. Whatever is in here can be built again from the bucket.
 */
import type { SegmentSink } from '../log/catch-up.ts';
import type { PluginStatus } from '../log/stored-report.ts';
import type { HostFilter, ReportFilter } from './filter.ts';

export type HostRow = {
  id: string;
  /** As its newest report by the host's clock says. */
  name: string;
  labels: Record<string, string>;
  agentVersion: string | null;
  intervalSeconds: number | null;
  /** The server's clock, milliseconds since 1970. */
  firstSeenAt: number;
  lastSeenAt: number;
};

export type ResultRow = {
  plugin: string;
  version: number | null;
  status: PluginStatus;
  durationMs: number | null;
  error: string | null;
  /** As sent; null when there are none. */
  facts: unknown;
  readings: unknown;
};

export type ReportRow = {
  id: string;
  hostId: string;
  agentVersion: string | null;
  /** The host's clock, milliseconds since 1970. */
  collectedAt: number;
  /** The server's clock, milliseconds since 1970. */
  receivedAt: number;
  /** In the order the agent sent them. */
  results: ResultRow[];
  /** Its host as it tells it itself: for a report just taken, which the index may not have. */
  ownHost?: HostRow;
};

export const reportOrderFields = ['COLLECTED_AT', 'RECEIVED_AT'] as const;
export const hostOrderFields = ['NAME', 'FIRST_SEEN_AT', 'LAST_SEEN_AT'] as const;
export type ReportOrderField = (typeof reportOrderFields)[number];
export type HostOrderField = (typeof hostOrderFields)[number];
export type Direction = 'ASC' | 'DESC';
export type Order<Field> = { field: Field; direction: Direction };

/** A place in an order: the row's value of the order's field, and its id to tell equals apart. */
export type Position = { value: string | number; id: string };

/**
 * A stretch of an ordered list: rows strictly after and before the given places.
 *
 * `fromEnd` takes the last `limit` rows instead of the first; they still come in the list's order.
 */
export type Slice = { after?: Position; before?: Position; limit: number; fromEnd?: boolean };

export type Listing<Filter, Field> = { filter: Filter | null; order: Order<Field> };

export type IndexReader = {
  /** In the order of the ids; null where there is no such report. */
  reportsById(ids: readonly string[]): Promise<(ReportRow | null)[]>;
  reports(listing: Listing<ReportFilter, ReportOrderField>, slice: Slice): Promise<ReportRow[]>;
  countReports(filter: ReportFilter | null): Promise<number>;
  hosts(listing: Listing<HostFilter, HostOrderField>, slice: Slice): Promise<HostRow[]>;
  countHosts(filter: HostFilter | null): Promise<number>;
  /** In the order of the ids; null where there is no such host. */
  hostsById(ids: readonly string[]): Promise<(HostRow | null)[]>;
  /** For each host the newest successful result of every plugin, by the host's clock. */
  latestResults(hostIds: readonly string[]): Promise<ResultRow[][]>;
  /** Throws when the index does not answer. */
  ping(): Promise<void>;
};

export type IndexStore = IndexReader &
  SegmentSink & {
    /**
     * Removes reports received before an instant (milliseconds since 1970), with what only they told.
     *
     * @returns how many
     */
    forget(before: number): Promise<number>;
    /** Goes over to an index that was put in the place of this one, if that has happened. */
    refresh(): Promise<void>;
    close(): Promise<void>;
  };

/** The value a row has in an order: what a cursor holds. */
export function reportPosition(row: ReportRow, field: ReportOrderField): Position {
  return { value: field === 'COLLECTED_AT' ? row.collectedAt : row.receivedAt, id: row.id };
}

export function hostPosition(row: HostRow, field: HostOrderField): Position {
  const values = { NAME: row.name, FIRST_SEEN_AT: row.firstSeenAt, LAST_SEEN_AT: row.lastSeenAt };
  return { value: values[field], id: row.id };
}

/** An index that is being built beside the one in use. */
export type BuildingIndex = Omit<IndexStore, 'refresh'> & {
  /** Makes what only questions need. */
  finish(): Promise<void>;
};
