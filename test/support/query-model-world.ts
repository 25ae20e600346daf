/**
 * query-model-world: all reports that were told, and what of each host follows from them at any moment.
 *
 * Part of the model of what queries answer: shares no code with the API.
 */
import type { StoredReport, StoredResult } from '../../api/log/stored-report.ts';

export type Told = {
  id: string;
  host: string;
  /** What it says of the host itself. */
  own: {
    name: string;
    labels: Record<string, string>;
    agentVersion: string | null;
    intervalSeconds: number | null;
  };
  collectedAt: number;
  receivedAt: number;
  /** When it counts as told: by the host's clock or the server's, whichever was behind. */
  at: number;
  results: readonly StoredResult[];
};

/** A host as it is now (`asOf` null) or was at a moment. */
export type HostThen = {
  id: string;
  asOf: number | null;
  own: Told['own'];
  firstSeenAt: number;
  lastSeenAt: number;
  newest: Told;
  /** Of each plugin the last result that was successful. */
  plugins: ReadonlyMap<string, StoredResult>;
};

export type World = { now: number; reports: readonly Told[]; hosts: ReadonlyMap<string, readonly Told[]> };

/** @param copies every copy of every report, in any order */
export function makeWorld(copies: readonly StoredReport[], now: number): World {
  const counting = new Map<string, StoredReport>();
  for (const copy of copies) {
    const other = counting.get(copy.id);
    if (!other || isFirst(copy, other)) counting.set(copy.id, copy);
  }
  const reports = [...counting.values()].map(toTold).sort(inTime);
  return { now, reports, hosts: Map.groupBy(reports, ({ host }) => host) };
}

/** Of several copies the one received first counts; at the same millisecond, the one whose line sorts first. */
function isFirst(copy: StoredReport, other: StoredReport): boolean {
  const difference = Date.parse(copy.receivedAt) - Date.parse(other.receivedAt);
  return difference === 0 ? JSON.stringify(copy) < JSON.stringify(other) : difference < 0;
}

function toTold(report: StoredReport): Told {
  const [collectedAt, receivedAt] = [Date.parse(report.collectedAt), Date.parse(report.receivedAt)];
  const { name, labels } = report.host;
  const { agentVersion, intervalSeconds } = report;
  return {
    id: report.id,
    host: report.host.id,
    own: { name, labels, agentVersion, intervalSeconds },
    collectedAt,
    receivedAt,
    at: Math.min(collectedAt, receivedAt),
    results: report.results,
  };
}

function inTime(a: Told, b: Told): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1);
}

/** @param asOf null for now; null is returned where the host had told nothing by then */
export function hostThen(world: World, id: string, asOf: number | null): HostThen | null {
  const all = world.hosts.get(id) ?? [];
  const told = all.filter(({ at }) => asOf === null || at <= asOf);
  const newest = told.at(-1);
  if (!newest) return null;
  const plugins = new Map<string, StoredResult>();
  for (const { results } of told) {
    for (const result of results) if (result.status === 'OK') plugins.set(result.plugin, result);
  }
  return {
    id,
    asOf,
    own: newest.own,
    firstSeenAt: Math.min(...all.map(({ receivedAt }) => receivedAt)),
    lastSeenAt: asOf === null ? Math.max(...all.map(({ receivedAt }) => receivedAt)) : newest.receivedAt,
    newest,
    plugins,
  };
}

export function hostsThen(world: World, asOf: number | null): HostThen[] {
  return [...world.hosts.keys()].flatMap((id) => hostThen(world, id, asOf) ?? []);
}

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

export function statusOf(world: World, { own, lastSeenAt, asOf }: HostThen): 'ONLINE' | 'LATE' | 'OFFLINE' {
  const silent = (asOf ?? world.now) - lastSeenAt;
  const interval = own.intervalSeconds === null ? null : own.intervalSeconds * 1000;
  if (silent > (interval === null ? 7 * day : 10 * interval + 10 * minute)) return 'OFFLINE';
  return silent > (interval === null ? 24 * hour : 2 * interval + minute) ? 'LATE' : 'ONLINE';
}
