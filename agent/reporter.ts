/** reporter: makes one report after another: plugins keep what they know from each to the next. */
import { type Collector, createCollector, type Pace } from './collect.ts';
import type { HostIdentity } from './host-identity.ts';
import { hostNameOf } from './host-name.ts';
import { createRedact, type Redact } from './redact.ts';
import { buildReport, type ReportHost, type SubmitReportInput } from './report.ts';
import type { Setup } from './setup.ts';
import type { Surroundings } from './surroundings.ts';

export type Reporter = Pick<Collector, 'dueInMs'> & {
  report(stop: AbortSignal): Promise<SubmitReportInput>;
  /** Takes out what the config says must not leave this host, as from a report that was kept before it said so. */
  redact: Redact;
  /** Reports by these settings from now on; not while a report is made. */
  change(setup: Setup, pace: Pace): void;
};

export function createReporter(
  { root, agentVersion }: Pick<Surroundings, 'root' | 'agentVersion'>,
  { config, plugins }: Setup,
  identity: HostIdentity,
  pace?: Pace,
): Reporter {
  const collector: Collector = createCollector(plugins, { root, platform: process.platform, pace });
  let { labels } = config;
  let redact = createRedact(config.redact);
  let intervalMs = pace?.intervalMs ?? null;
  return {
    dueInMs: collector.dueInMs,
    redact: (results) => redact(results),
    async report(stop) {
      const collectedAt = new Date();
      const [name, results] = await Promise.all([hostNameOf(root), collector.collect(stop)]);
      const host = { ...hostOf(identity), name, labels };
      return buildReport({ host, agentVersion, collectedAt, intervalMs, results: redact(results) });
    },
    change(setup, next) {
      ({ labels } = setup.config);
      redact = createRedact(setup.config.redact);
      ({ intervalMs } = next);
      collector.replace(setup.plugins, next);
    },
  };
}

/** As the API takes it: one that knows no clones is not told that there is none. */
function hostOf({ id, clonedFrom }: HostIdentity): Omit<ReportHost, 'name' | 'labels'> {
  return clonedFrom === null ? { id } : { id, clonedFrom };
}
