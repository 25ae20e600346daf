/**
 * context: what a resolver has at hand, made for each request.
 */
import DataLoader from 'dataloader';
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { HostRow, IndexReader, ResultRow } from './index/index-store.ts';
import type { Intake } from './intake.ts';

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
  host: DataLoader<string, HostRow | null>;
  latestResults: DataLoader<string, ResultRow[]>;
};

export type ApiContext = Services & { loaders: Loaders };

export function makeContext(services: Services): ApiContext {
  const { index } = services;
  return {
    ...services,
    loaders: {
      host: new DataLoader((ids) => index.hostsById(ids)),
      latestResults: new DataLoader((ids) => index.latestResults(ids)),
    },
  };
}
