/** watch-daemon: has a running daemon tell how it fares: in its status file, and to Prometheus where the config says so. */
import { isDeepStrictEqual } from 'node:util';
import type { DeliveryWatcher } from '../delivery/delivery.ts';
import type { Spool } from '../delivery/spool.ts';
import { OperatorError } from '../error-text.ts';
import type { ListenAddress } from '../listen-address.ts';
import type { MetricsServer } from '../metrics/metrics-server.ts';
import type { SubmitReportInput } from '../report.ts';
import type { Log } from '../run.ts';
import type { Clock } from '../schedule/clock.ts';
import { type Grid, tickAfter } from '../schedule/grid.ts';
import { type AgentStatus, processStart } from './agent-status.ts';
import { createMonitor } from './monitor.ts';
import { createStatusWriter } from './status-writer.ts';

export type DaemonWatch = {
  delivery: DeliveryWatcher;
  collected(report: SubmitReportInput): void;
  /** Serves metrics there from now on; where that is not possible it says so, and goes on where it was. */
  serveAt(address: ListenAddress | null): Promise<void>;
  /** Says that the daemon has stopped. */
  close(): Promise<void>;
};

/** What a reload may change. */
export type DaemonSettings = Pick<
  AgentStatus['agent'],
  'version' | 'config' | 'url' | 'hostId' | 'intervalSeconds'
> & { maxSpoolBytes: number };

export type DaemonParts = {
  settings(): DaemonSettings;
  stateFolder: string;
  spool: Pick<Spool, 'counts'>;
  /** Of the config that the daemon began with. */
  metricsAt: ListenAddress | null;
  /** Of the reports, in the time of `clock`. */
  grid(): Grid;
  clock: Clock;
  /** Milliseconds until a report asks the plugin of this name. */
  dueInMs(plugin: string): number;
  log: Log;
};

/** @throws OperatorError when metrics cannot be served where the config says */
export async function watchDaemon(parts: DaemonParts): Promise<DaemonWatch> {
  const { stateFolder, grid, clock, log, dueInMs } = parts;
  const own = { pid: process.pid, processStart: await processStart(process.pid) };
  const monitor = createMonitor({
    settings() {
      const { maxSpoolBytes, ...about } = parts.settings();
      return { about: { ...about, ...own }, maxSpoolBytes };
    },
    stateFolder,
    spool: parts.spool,
    reportAt(afterMs) {
      const now = clock.now();
      return Date.now() + tickAfter(grid(), now + afterMs) - now;
    },
    dueInMs,
    now: Date.now,
    onChange: () => writer.changed(),
  });
  const writer = createStatusWriter({ stateFolder, status: monitor.status, log });
  await writer.flush();
  let metricsAt: ListenAddress | null = null;
  let server: MetricsServer | null = null;

  async function serveAt(address: ListenAddress | null): Promise<void> {
    await server?.close();
    [server, metricsAt] = [null, null];
    if (address === null) return;
    server = await serve(address, monitor.status);
    metricsAt = address;
    log.info({ url: server.url }, 'metrics are served');
  }

  await serveAt(parts.metricsAt);
  return {
    delivery: monitor,
    collected: monitor.collected,
    async serveAt(address) {
      const before = metricsAt;
      if (isDeepStrictEqual(address, before)) return;
      for (const wanted of [address, before]) {
        try {
          return await serveAt(wanted);
        } catch (error) {
          if (!(error instanceof OperatorError)) throw error;
          log.error({ cause: error.message }, 'metrics cannot be served there');
        }
      }
    },
    async close() {
      monitor.stopped();
      await writer.flush();
      await server?.close();
    },
  };
}

/** Loaded only where it is asked for. */
async function serve(address: ListenAddress, status: () => Promise<AgentStatus>) {
  const [{ serveMetrics }, { metricsText }] = await Promise.all([
    import('../metrics/metrics-server.ts'),
    import('../metrics/metrics.ts'),
  ]);
  return serveMetrics(address, async () => {
    const { user, system } = process.cpuUsage();
    const figures = {
      residentBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      startedAtSeconds: performance.timeOrigin / 1_000,
    };
    return metricsText(await status(), figures);
  });
}
