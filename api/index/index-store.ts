/**
 * index-store: the interface of the index, the disposable view that answers questions.
 *
 * One behaviour for every dialect. Whatever is in here can be built again from the bucket.
 */

import type { Comparison } from '../../plugins/fact.ts';
import type { SegmentSink } from '../log/catch-up.ts';
import type { PluginStatus } from '../log/stored-report.ts';
import type { ChangeFilter, HostFilter, ReportFilter } from './filter.ts';

export type HostRow = {
  id: string;
  /** The moment in the past that this tells of, milliseconds since 1970; null for now. */
  asOf: number | null;
  /** As its newest report by the host's clock says. */
  name: string;
  labels: Record<string, string>;
  agentVersion: string | null;
  intervalSeconds: number | null;
  /** The id that it had before its disk, cloned or restored, was found on another machine; null where there was none. */
  clonedFrom: string | null;
  /** The server's clock, milliseconds since 1970. */
  firstSeenAt: number;
  lastSeenAt: number;
  /** Its value in the order of the list that it comes from; null where it has none. */
  orderedBy?: string | number | null;
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
  /** What it says of its host; null when it was removed while it was read. */
  hostFacts: Pick<HostRow, 'name' | 'labels' | 'agentVersion' | 'intervalSeconds' | 'clonedFrom'> | null;
  /** How many reports before it never left the agent; null when it did not say. */
  droppedReports: number | null;
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

/** Where a fact is found, and how it compares. */
export type FactPath = {
  plugin: string;
  /** Dotted from the plugin on, without list positions. */
  path: string;
  /** Null for a fact of a plugin that the server does not know: it compares as what it is in JSON. */
  compare: Comparison | null;
};

/**
 * What hosts are ordered by: a field, or a fact that is in no list. Hosts without that fact come last. By the id alone no
 * host moves, whatever it reports.
 */
export type HostOrder = Order<HostOrderField | 'FACT' | 'ID'> & { fact?: FactPath };

/** A place in an order: the row's value of what it is ordered by, and its id to tell equals apart. */
export type Position = { value: string | number | null; id: string };

/** One fact that became another. */
export type ChangeRow = {
  hostId: string;
  reportId: string;
  /** By the clock of the host or the server, whichever was behind; milliseconds since 1970. */
  at: number;
  plugin: string;
  path: string;
  /** Keys of the list elements on the way, the outermost first. */
  keys: string[];
  /** Null where there was, or is, no value. */
  before: unknown;
  after: unknown;
  /** Tells it from others of the same report and plugin. */
  number: number;
};

/** Whose changes: a host's, or those that a report told. */
export type ChangeOwner = 'host' | 'report';

export type ChangePosition = Pick<ChangeRow, 'at' | 'plugin' | 'number'> & { report: string };

/**
 * A stretch of an ordered list: rows strictly after and before the given places.
 *
 * `fromEnd` takes the last `limit` rows instead of the first; they still come in the list's order.
 */
export type SliceOf<Place> = { after?: Place; before?: Place; limit: number; fromEnd?: boolean };
export type Slice = SliceOf<Position>;
export type ChangeSlice = SliceOf<ChangePosition>;

export type Listing<Filter, Field> = { filter: Filter | null; order: Order<Field> };
export type ReportListing = Listing<ReportFilter, ReportOrderField>;

/** Which hosts, and when: `asOf` is milliseconds since 1970, null is now. */
export type HostQuestion = { filter: HostFilter | null; asOf: number | null };
export type HostListing = HostQuestion & { order: HostOrder };

export type FactCountQuestion = HostQuestion & {
  of: FactPath;
  /** Tells the hosts of each value apart by another fact. */
  by: FactPath | null;
  limit: number;
};

export type FactCount = {
  /** Null: these hosts told none. */
  value: unknown;
  hosts: number;
  /** By the second fact; empty when there was none. */
  groups: FactCount[];
};

export type FactStatsQuestion = Omit<FactCountQuestion, 'limit'>;

/** How often each number is there, the smallest first. */
export type Distribution = { group: unknown; values: { value: number; count: number }[] };

export const reportCountUnits = ['HOUR', 'DAY'] as const;
export type ReportCountUnit = (typeof reportCountUnits)[number];
/** `at` is when the hour or day begins, UTC, by the hosts' clocks. */
export type ReportCount = { at: number; reports: number };

export type IndexReader = {
  /** In the order of the ids; null where there is no such report. */
  reportsById(ids: readonly string[]): Promise<(ReportRow | null)[]>;
  reports(listing: ReportListing, slice: Slice): Promise<ReportRow[]>;
  /** Those of the ids whose report is there and passes, in their order. */
  reportsAmong(ids: readonly string[], filter: ReportFilter | null): Promise<ReportRow[]>;
  countReports(filter: ReportFilter | null): Promise<number>;
  /** The same stretch of the list of each host, in the order of the ids. */
  reportsOfHosts(hostIds: readonly string[], listing: ReportListing, slice: Slice): Promise<ReportRow[][]>;
  countReportsOfHosts(hostIds: readonly string[], filter: ReportFilter | null): Promise<number[]>;
  /** For each host its newest report by a moment, milliseconds since 1970; null where there was none yet. */
  reportsAt(hosts: readonly { id: string; at: number }[]): Promise<(ReportRow | null)[]>;
  /** Reports of an hour or day each, the oldest first; those without any are left out. */
  reportCounts(filter: ReportFilter | null, by: ReportCountUnit): Promise<ReportCount[]>;
  hosts(listing: HostListing, slice: Slice): Promise<HostRow[]>;
  countHosts(question: HostQuestion): Promise<number>;
  /** In the order of the ids; null where there is no such host. */
  hostsById(ids: readonly string[]): Promise<(HostRow | null)[]>;
  /** For each host the newest successful result of every plugin, by the host's clock; asOf as in `HostQuestion`. */
  latestResults(hostIds: readonly string[], asOf: number | null): Promise<ResultRow[][]>;
  /** The newest first. */
  changes(filter: ChangeFilter, slice: ChangeSlice): Promise<ChangeRow[]>;
  countChanges(filter: ChangeFilter): Promise<number>;
  /** The same stretch of the list of each host or report, in the order of the ids. */
  changesOf(
    owner: ChangeOwner,
    ids: readonly string[],
    filter: ChangeFilter,
    slice: ChangeSlice,
  ): Promise<ChangeRow[][]>;
  countChangesOf(owner: ChangeOwner, ids: readonly string[], filter: ChangeFilter): Promise<number[]>;
  /** Hosts by the value of a fact, the most frequent first. */
  factCounts(question: FactCountQuestion): Promise<FactCount[]>;
  /** One for all, with group null; or one for each value of the second fact, the most frequent first. */
  factDistributions(question: FactStatsQuestion): Promise<Distribution[]>;
  /**
   * Paths of facts that hosts have told of plugins, whether the server knows them or not; so many at most.
   *
   * @param hosts only what these have told, which are so now. @default all of them
   */
  pathsOf(plugin: string, limit: number, hosts?: HostFilter | null): Promise<string[]>;
  /** In the order of the questions: facts as JSON text; null where this host never told any of this hash. */
  hostFacts(asked: readonly HostFactSet[]): Promise<(string | null)[]>;
  /** Throws when the index does not answer. */
  ping(): Promise<void>;
};

/** Facts of a host by their hash (see plugins/fact-set.ts). */
export type HostFactSet = { hostId: string; hash: string };

export type ForRequest = (signal: AbortSignal) => IndexReader;

export type Listener = (reportIds: string[]) => void;
/** @returns what ends it */
export type OnReports = (listener: Listener) => Promise<() => Promise<void>>;

/** Reads for somebody who may stop waiting. */
export type RequestReader = {
  /**
   * The same answers for one request: once the signal is aborted its calls are rejected with the signal's reason, those
   * not begun are never begun, and the database stops working on the others.
   */
  forRequest(signal: AbortSignal): IndexReader;
};

export type IndexStore = IndexReader &
  RequestReader &
  SegmentSink & {
    /**
     * Tells which reports have just come in for the first time, through whatever process on this index. Only those that
     * were received in the last minutes: history that is caught up with is no news.
     */
    onReports: OnReports;
    /**
     * The same answers, until the signal is aborted: then whatever is under way is given up with its reason, and the database
     * stops working on it.
     */
    forRequest: ForRequest;
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

export function hostPosition(row: HostRow): Position {
  return { value: row.orderedBy ?? null, id: row.id };
}

export function changePosition({ at, reportId, plugin, number }: ChangeRow): ChangePosition {
  return { at, report: reportId, plugin, number };
}

/** An index that is being built beside the one in use. */
export type BuildingIndex = Omit<IndexStore, 'refresh' | 'onReports' | 'forRequest'> & {
  /** Makes what only questions need. */
  finish(): Promise<void>;
};
