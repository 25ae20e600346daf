/** host-status: judges from when a host was last heard whether it still reports. */
import type { Allowance, HostFilter } from '../index/filter.ts';
import type { HostRow } from '../index/index-store.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** One report may be lost on its way, and clocks jitter, before a host counts as late. */
const late: Allowance = { intervals: 2, plusMs: 60_000, unknownMs: dayMs };
/** A restart or a short outage is over by then. */
const offline: Allowance = { intervals: 10, plusMs: 10 * 60_000, unknownMs: 7 * dayMs };

export const hostStatuses = {
  ONLINE: {
    description:
      'Its latest report came within twice its interval and a minute; within a day where the interval is not known.',
  },
  LATE: { description: 'Its next report is overdue.' },
  OFFLINE: {
    description:
      'It has been silent for ten times its interval and ten minutes; for a week where the interval is not known.',
  },
} as const;
export type HostStatus = keyof typeof hostStatuses;

/** @param now milliseconds since 1970, the server's clock */
export function hostStatus(host: Pick<HostRow, 'intervalSeconds' | 'lastSeenAt'>, now: number): HostStatus {
  const silentMs = now - host.lastSeenAt;
  const isLongerThan = ({ intervals, plusMs, unknownMs }: Allowance) =>
    silentMs > (host.intervalSeconds === null ? unknownMs : host.intervalSeconds * intervals * 1000 + plusMs);
  if (isLongerThan(offline)) return 'OFFLINE';
  return isLongerThan(late) ? 'LATE' : 'ONLINE';
}

/** Hosts that are in one of these states. */
export function withStatus(statuses: readonly HostStatus[], now: number): HostFilter {
  const silent = (longerThan: Allowance): HostFilter => ({ kind: 'silent', longerThan, now });
  const not = (filter: HostFilter): HostFilter => ({ kind: 'not', filter });
  const filters: Record<HostStatus, HostFilter> = {
    ONLINE: not(silent(late)),
    LATE: { kind: 'and', filters: [silent(late), not(silent(offline))] },
    OFFLINE: silent(offline),
  };
  return { kind: 'or', filters: statuses.map((status) => filters[status]) };
}
