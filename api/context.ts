/**
 * context: what a resolver has at hand, made for each request.
 */
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { IndexReader } from './index/index-store.ts';
import type { Intake } from './intake.ts';
import { type Loaders, makeLoaders } from './loaders.ts';

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

/** Rows that a request may still ask for. */
export type Budget = { rows: number };

export type ApiContext = Services & { loaders: Loaders; budget: Budget };

export function makeContext(services: Services): ApiContext {
  return { ...services, budget: { rows: maxRowsPerRequest }, loaders: makeLoaders(services.index) };
}
