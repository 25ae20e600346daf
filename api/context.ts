/**
 * context: what a resolver has at hand, made for each request.
 */
import DataLoader from 'dataloader';
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { HostRow, IndexReader, ReportRow, ResultRow } from './index/index-store.ts';
import type { Intake } from './intake.ts';

/** Twenty of the largest pages, or a thousand of the usual nested ones. */
export const maxRowsPerRequest = 20_000;

/** What lives as long as the server does. */
export type Services = {
  index: IndexReader;
  intake: Intake;
  plugins: readonly AnyPlugin[];
  /** Milliseconds since 1970. */
  now: () => number;
  /** Makes the id of a report that came without one. */
  makeId: () => string;
};

/** One query asks the index once for all hosts of a page, not once for each. */
type Loaders = {
  report: DataLoader<string, ReportRow | null>;
  host: DataLoader<string, HostRow | null>;
  latestResults: DataLoader<string, ResultRow[]>;
};

/** Rows that a request may still ask for: SQLite answers on the thread that serves everyone else. */
export type Budget = { rows: number };

export type ApiContext = Services & { loaders: Loaders; budget: Budget };

export function makeContext(services: Services): ApiContext {
  const { index } = services;
  return {
    ...services,
    budget: { rows: maxRowsPerRequest },
    loaders: {
      report: new DataLoader((ids) => index.reportsById(ids)),
      host: new DataLoader((ids) => index.hostsById(ids)),
      latestResults: new DataLoader((ids) => index.latestResults(ids)),
    },
  };
}
