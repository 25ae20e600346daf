/** hosts-by-status: how many hosts there are of each status, asked of the index no more often than it matters. */
import type { IndexReader } from '../index/index-store.ts';
import { type HostStatus, hostStatuses, withStatus } from '../schema/host-status.ts';
import { within } from '../within.ts';

const freshMs = 15_000;
/** A scrape gives up after ten seconds, and would have nothing at all then. */
const patienceMs = 2_000;

export type HostCounts = Record<HostStatus, number>;

/** @returns null while the index does not answer in time and has not before */
export function makeHostsByStatus(index: Pick<IndexReader, 'countHosts'>, now: () => number) {
  let counted: { at: number; counts: Promise<HostCounts> } | null = null;
  let last: HostCounts | null = null;

  async function count(): Promise<HostCounts> {
    const statuses = Object.keys(hostStatuses) as HostStatus[];
    const counts = await Promise.all(
      statuses.map((status) => index.countHosts({ filter: withStatus([status], now()), asOf: null })),
    );
    last = Object.fromEntries(statuses.map((status, number) => [status, counts[number]])) as HostCounts;
    return last;
  }

  return async (): Promise<HostCounts | null> => {
    // One that hangs is not asked again before the next is due.
    if (!counted || now() - counted.at > freshMs) counted = { at: now(), counts: count() };
    try {
      return await within(patienceMs, 'the index', counted.counts);
    } catch {
      return last;
    }
  };
}
