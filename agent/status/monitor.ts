/**
 * monitor: keeps count of what the daemon does, for its status file and its metrics.
 *
 * Told by those who collect and deliver; asks only for what changes by itself: the spool, and when who is due.
 */
import type { DeliveryWatcher } from '../delivery/delivery.ts';
import type { Spool } from '../delivery/spool.ts';
import type { PluginResult, SubmitReportInput } from '../report.ts';
import type { AgentStatus, PluginState } from './agent-status.ts';
import { readSpoolFigures } from './spool-figures.ts';

export type Monitor = DeliveryWatcher & {
  collected(report: SubmitReportInput): void;
  stopped(): void;
  status(): Promise<AgentStatus>;
};

export type MonitorParts = {
  settings(): { about: Omit<AgentStatus['agent'], 'startedAt' | 'stoppedAt'>; maxSpoolBytes: number };
  stateFolder: string;
  spool: Pick<Spool, 'counts'>;
  /** Milliseconds since 1970 of the first report after so many milliseconds from now. */
  reportAt(afterMs: number): number;
  /** Milliseconds until a plugin is asked again; 0 for one that each report asks. */
  dueInMs(plugin: string): number;
  /** Milliseconds since 1970. */
  now(): number;
  /** Told after each change. */
  onChange(): void;
};

type Counted = Omit<PluginState, 'nextAt'>;

export function createMonitor(parts: MonitorParts): Monitor {
  const { now, onChange } = parts;
  const startedAt = toTime(now());
  let stoppedAt: string | null = null;
  let lastReport: AgentStatus['lastReport'] = null;
  let plugins: Counted[] = [];
  const delivery = {
    lastAcknowledgedAt: null as string | null,
    acknowledgedReports: 0,
    refusedReports: 0,
    failures: 0,
    failuresInARow: 0,
    error: null as string | null,
    retryAt: null as string | null,
  };

  function apiAnswered(): void {
    Object.assign(delivery, { failuresInARow: 0, error: null, retryAt: null });
  }

  return {
    collected({ id, collectedAt, results }) {
      lastReport = { id, collectedAt, acknowledgedAt: null };
      const before = new Map(plugins.map((plugin) => [plugin.name, plugin]));
      plugins = results.map((result) => count(result, before.get(result.plugin), collectedAt));
      onChange();
    },
    acknowledged({ id }) {
      apiAnswered();
      delivery.acknowledgedReports += 1;
      delivery.lastAcknowledgedAt = toTime(now());
      if (lastReport?.id === id) lastReport.acknowledgedAt = delivery.lastAcknowledgedAt;
      onChange();
    },
    refused() {
      apiAnswered();
      delivery.refusedReports += 1;
      onChange();
    },
    failed(error, retryInMs) {
      delivery.failures += 1;
      delivery.failuresInARow += 1;
      Object.assign(delivery, { error, retryAt: toTime(now() + retryInMs) });
      onChange();
    },
    stopped() {
      stoppedAt = toTime(now());
    },
    async status() {
      const { about, maxSpoolBytes } = parts.settings();
      const { droppedReports, memoryReports } = parts.spool.counts();
      const figures = await readSpoolFigures(parts.stateFolder).catch(() => unreadable);
      return {
        format: 1,
        writtenAt: toTime(now()),
        agent: { ...about, startedAt, stoppedAt },
        lastReport,
        nextReportAt: stoppedAt === null ? toTime(parts.reportAt(0)) : null,
        delivery: { ...delivery, droppedReports },
        spool: { ...figures, maxBytes: maxSpoolBytes, memoryReports },
        plugins: plugins.map((plugin) => ({ ...plugin, nextAt: toTime(nextAt(plugin.name)) })),
      };
    },
  };

  function nextAt(plugin: string): number {
    return parts.reportAt(parts.dueInMs(plugin));
  }
}

/** A disk that cannot be read holds nothing that could be delivered. */
const unreadable = { reports: 0, bytes: 0, oldestAt: null, deadLetters: 0, damaged: 0 };

function count(result: PluginResult, before: Counted | undefined, collectedAt: string): Counted {
  const { plugin: name, status, error, durationMs } = result;
  const hasFailed = status === 'ERROR' || status === 'TIMEOUT';
  const wasAsked = durationMs !== null;
  // One that failed and waits is skipped, which does not end its row of failures.
  const isWell = wasAsked && !hasFailed;
  return {
    name,
    status,
    error,
    askedAt: wasAsked ? collectedAt : (before?.askedAt ?? null),
    durationMs: durationMs ?? before?.durationMs ?? null,
    lastOkAt: wasAsked && status === 'OK' ? collectedAt : (before?.lastOkAt ?? null),
    failures: (before?.failures ?? 0) + (hasFailed ? 1 : 0),
    failuresInARow: isWell ? 0 : (before?.failuresInARow ?? 0) + (hasFailed ? 1 : 0),
  };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
