/** host-status: judges from when a host was last heard whether it still reports. */
import type { HostRow } from '../index/index-store.ts';

export const hostStatuses = {
  ONLINE: {
    description:
      'Its latest report came within twice its interval and a minute; a day where the interval is not known.',
  },
  OFFLINE: {
    description: 'Its next report is overdue.',
  },
  MISSING: {
    description: 'It has not been heard for 30 days.',
  },
} as const;
export type HostStatus = keyof typeof hostStatuses;

/** One report may be late or lost on its way, and clocks jitter, before a host counts as gone. */
const graceMs = 60_000;
const dayMs = 24 * 60 * 60 * 1000;
const missingAfterMs = 30 * dayMs;

/** @param now milliseconds since 1970, the server's clock */
export function hostStatus(host: Pick<HostRow, 'intervalSeconds' | 'lastSeenAt'>, now: number): HostStatus {
  const silentMs = now - host.lastSeenAt;
  const allowedMs = host.intervalSeconds === null ? dayMs : host.intervalSeconds * 2000 + graceMs;
  if (silentMs <= allowedMs) return 'ONLINE';
  return silentMs > missingAfterMs ? 'MISSING' : 'OFFLINE';
}
