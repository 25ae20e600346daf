/**
 * narrowed-reader: the index as it is for an identity that is narrowed: what is not within does not exist.
 *
 * Every question of the index is narrowed here, by its filter where it takes one and by the host where it names some;
 * the type says so: a question that is added does not compile until it is narrowed as well.
 */
import DataLoader from 'dataloader';
import type { HostFilter, ReportFilter } from '../index/filter.ts';
import type { HostQuestion, HostRow, IndexReader, RequestReader } from '../index/index-store.ts';
import { askReader, readerOf } from '../index/reader-methods.ts';
import type { Narrowing } from './identity.ts';
import { hostsWithin, idIs, isWithin } from './narrowing.ts';

/** @param narrowing null for the whole fleet */
export function narrowedIndex<Index extends IndexReader & RequestReader>(
  index: Index,
  narrowing: Narrowing | null,
): IndexReader & RequestReader {
  if (narrowing === null) return index;
  return {
    // It outlives requests, and hosts come and go: nothing is remembered from one question to the next.
    ...readerOf((method, args) => askReader(narrowedReader(index, narrowing), method, args)),
    ...narrowedRequests(index, narrowing),
  };
}

/** Only what is asked for requests. @param narrowing null for the whole fleet */
export function narrowedRequests(index: RequestReader, narrowing: Narrowing | null): RequestReader {
  if (narrowing === null) return index;
  return { forRequest: (signal) => narrowedReader(index.forRequest(signal), narrowing) };
}

/** For one request: it remembers which hosts it has found to be within. */
export function narrowedReader(index: IndexReader, narrowing: Narrowing): IndexReader {
  const within = hostsWithin(narrowing);
  const reportsWithin = ofReports(narrowing, within);
  const loader = new DataLoader<string, boolean>(async (ids) =>
    (await index.hostsById(ids)).map((host) => host !== null && isWithin(narrowing, host)),
  );
  const found = (hostIds: Iterable<string>) => {
    for (const id of hostIds) loader.prime(id, true);
  };

  /** Whether each of the hosts is within. */
  async function areWithin(hostIds: readonly string[]): Promise<boolean[]> {
    const { hostId, labels } = narrowing;
    // By its id alone it is told without asking.
    if (labels === null) return hostIds.map((id) => id.toLowerCase() === hostId?.toLowerCase());
    return Promise.all(hostIds.map((id) => loader.load(id)));
  }

  /** Asks of those within, and puts `none` in the place of the others. */
  async function ofEach<Asked, T>(
    asked: readonly Asked[],
    hostOf: (asked: Asked) => string,
    ask: (within: Asked[]) => Promise<T[]>,
    none: T,
  ): Promise<T[]> {
    const isIn = await areWithin(asked.map(hostOf));
    const inside = asked.filter((_, place) => isIn[place]);
    const answers = inside.length > 0 ? (await ask(inside)).values() : [].values();
    return isIn.map((is) => (is ? (answers.next().value as T) : none));
  }
  const ofHosts = <T>(ids: readonly string[], ask: (within: string[]) => Promise<T[]>, none: T) =>
    ofEach(ids, (id) => id, ask, none);

  const both = (filter: ReportFilter | null): ReportFilter => and(reportsWithin, filter);
  const ownHosts = (filter: HostFilter | null): HostFilter => and(within, filter);
  /** Of hosts at a moment, those that are within now. */
  const question = <Question extends HostQuestion>(asked: Question): Question => ({
    ...asked,
    filter: and(asked.asOf === null ? within : { kind: 'now', filter: within }, asked.filter),
  });
  async function listed<Row>(rows: Promise<Row[]>, hostOf: (row: Row) => string): Promise<Row[]> {
    const list = await rows;
    found(list.map(hostOf));
    return list;
  }
  const reported = ({ hostId }: { hostId: string }) => hostId;

  return {
    async reportsById(ids) {
      const reports = await listed(index.reportsAmong(ids, reportsWithin), reported);
      const byId = new Map(reports.map((report) => [report.id, report]));
      return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
    },
    reports: (listing, slice) =>
      listed(index.reports({ ...listing, filter: both(listing.filter) }, slice), reported),
    reportsAmong: (ids, filter) => listed(index.reportsAmong(ids, both(filter)), reported),
    countReports: (filter) => index.countReports(both(filter)),
    reportsOfHosts: (ids, listing, slice) =>
      ofHosts(ids, (own) => index.reportsOfHosts(own, listing, slice), []),
    countReportsOfHosts: (ids, filter) => ofHosts(ids, (own) => index.countReportsOfHosts(own, filter), 0),
    reportsAt: (hosts) =>
      ofEach(
        hosts,
        ({ id }) => id,
        (own) => index.reportsAt(own),
        null,
      ),
    reportCounts: (filter, by) => index.reportCounts(both(filter), by),
    hosts: (listing, slice) => listed(index.hosts(question(listing), slice), ({ id }) => id),
    countHosts: (asked) => index.countHosts(question(asked)),
    hostsById: (ids) => ofHosts<HostRow | null>(ids, (own) => index.hostsById(own), null),
    latestResults: (ids, asOf) => ofHosts(ids, (own) => index.latestResults(own, asOf), []),
    changes: (filter, slice) =>
      listed(index.changes({ ...filter, host: ownHosts(filter.host) }, slice), reported),
    countChanges: (filter) => index.countChanges({ ...filter, host: ownHosts(filter.host) }),
    changesOf: (owner, ids, filter, slice) =>
      owner === 'host'
        ? ofHosts(ids, (own) => index.changesOf(owner, own, filter, slice), [])
        : index.changesOf(owner, ids, { ...filter, host: ownHosts(filter.host) }, slice),
    countChangesOf: (owner, ids, filter) =>
      owner === 'host'
        ? ofHosts(ids, (own) => index.countChangesOf(owner, own, filter), 0)
        : index.countChangesOf(owner, ids, { ...filter, host: ownHosts(filter.host) }),
    factCounts: (asked) => index.factCounts(question(asked)),
    factDistributions: (asked) => index.factDistributions(question(asked)),
    pathsOf: (plugin, limit, hosts) => index.pathsOf(plugin, limit, ownHosts(hosts ?? null)),
    hostFacts: (asked) =>
      ofEach(
        asked,
        ({ hostId }) => hostId,
        (own) => index.hostFacts(own),
        null,
      ),
    ping: () => index.ping(),
  };
}

/** By the id alone where there is nothing else: the index has reports by it. */
function ofReports({ hostId, labels }: Narrowing, within: HostFilter): ReportFilter {
  if (labels === null && hostId !== null) return idIs('host', hostId);
  return { kind: 'host', filter: within };
}

/** Filters of one kind, both of which must hold. */
function and<Filter>(within: Filter, filter: Filter | null): Filter | { kind: 'and'; filters: Filter[] } {
  return filter === null ? within : { kind: 'and', filters: [within, filter] };
}
