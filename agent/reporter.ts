/** reporter: makes one report after another: plugins keep what they know from each to the next. */
import { hostname } from 'node:os';
import { readHostName } from '../plugins/sources/host-name.ts';
import { linuxFiles } from '../plugins/sources/linux-files.ts';
import { type Collector, createCollector, type Pace } from './collect.ts';
import type { HostIdentity } from './host-identity.ts';
import { buildReport, type ReportHost, type SubmitReportInput } from './report.ts';
import type { Setup } from './setup.ts';
import type { Surroundings } from './surroundings.ts';

export type Reporter = Pick<Collector, 'dueInMs'> & {
  report(stop: AbortSignal): Promise<SubmitReportInput>;
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
  let intervalMs = pace?.intervalMs ?? null;
  return {
    dueInMs: collector.dueInMs,
    async report(stop) {
      const collectedAt = new Date();
      const [name, results] = await Promise.all([hostName(root), collector.collect(stop)]);
      const host = { ...hostOf(identity), name, labels };
      return buildReport({ host, agentVersion, collectedAt, intervalMs, results });
    },
    change(setup, next) {
      ({ labels } = setup.config);
      ({ intervalMs } = next);
      collector.replace(setup.plugins, next);
    },
  };
}

/** As the API takes it: one that knows no clones is not told that there is none. */
function hostOf({ id, clonedFrom }: HostIdentity): Omit<ReportHost, 'name' | 'labels'> {
  return clonedFrom === null ? { id } : { id, clonedFrom };
}

/** As the os plugin has it. Asked for each report, as it may change while the agent runs. */
async function hostName(root: string): Promise<string> {
  const name = process.platform === 'linux' ? await readHostName(linuxFiles(root), root) : null;
  return name ?? hostname();
}
