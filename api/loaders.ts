/**
 * loaders: gather what the rows of a page ask for, so that the index is asked once for all of them.
 *
 * Made for each request: what was loaded is remembered until its end.
 */
import DataLoader from 'dataloader';
import type { ChangeFilter, ReportFilter } from './index/filter.ts';
import type {
  ChangeOwner,
  ChangeRow,
  ChangeSlice,
  HostRow,
  IndexReader,
  ReportListing,
  ReportRow,
  ResultRow,
  Slice,
} from './index/index-store.ts';

/** A host, and the moment that is asked about: null is now. */
type HostMoment = { id: string; asOf: number | null };

/** Changes of one host, or those that one report told; the id is its. */
type ChangesOf = { kind: ChangeOwner; id: string; filter: ChangeFilter };

export type Loaders = {
  report: DataLoader<string, ReportRow | null>;
  host: DataLoader<string, HostRow | null>;
  latestResults: DataLoader<HostMoment, ResultRow[]>;
  reportAt: DataLoader<{ id: string; at: number }, ReportRow | null>;
  reportsOfHost: DataLoader<{ id: string; listing: ReportListing; slice: Slice }, ReportRow[]>;
  reportCountOfHost: DataLoader<{ id: string; filter: ReportFilter | null }, number>;
  changesOf: DataLoader<ChangesOf & { slice: ChangeSlice }, ChangeRow[]>;
  changeCountOf: DataLoader<ChangesOf, number>;
};

export function makeLoaders(index: IndexReader): Loaders {
  return {
    report: new DataLoader((ids) => index.reportsById(ids)),
    host: new DataLoader((ids) => index.hostsById(ids)),
    latestResults: alike((ids, { asOf }) => index.latestResults(ids, asOf)),
    reportAt: new DataLoader((hosts) => index.reportsAt(hosts), { cacheKeyFn: JSON.stringify as never }),
    reportsOfHost: alike((ids, { listing, slice }) => index.reportsOfHosts(ids, listing, slice)),
    reportCountOfHost: alike((ids, { filter }) => index.countReportsOfHosts(ids, filter)),
    changesOf: alike((ids, { kind, filter, slice }) => index.changesOf(kind, ids, filter, slice)),
    changeCountOf: alike((ids, { kind, filter }) => index.countChangesOf(kind, ids, filter)),
  };
}

/** Asks once for all hosts of which the same is asked. */
function alike<Key extends { id: string }, Value>(
  ask: (ids: string[], what: Omit<Key, 'id'>) => Promise<Value[]>,
): DataLoader<Key, Value> {
  const loader = new DataLoader<Key, Value, string>(
    async (keys) => {
      const places = new Map<string, number[]>();
      for (const [place, { id: _id, ...what }] of keys.entries()) {
        const same = JSON.stringify(what);
        places.set(same, [...(places.get(same) ?? []), place]);
      }
      const values: (Value | Error)[] = new Array(keys.length);
      await Promise.all(
        [...places.values()].map(async (own) => {
          const asked = own.flatMap((place) => keys[place] ?? []);
          const [first] = asked;
          if (!first) return;
          const found = await ask(
            asked.map(({ id }) => id),
            first,
          );
          for (const [number, place] of own.entries()) values[place] = found[number] as Value;
        }),
      );
      return values;
    },
    { cacheKeyFn: (key) => JSON.stringify(key) },
  );
  return loader as DataLoader<Key, Value>;
}
