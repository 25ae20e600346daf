/**
 * metrics: the daemon's status in the text format of Prometheus.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format; no library, as there is nothing to keep: all
 * figures are those of the status.
 */
import type { AgentStatus } from '../status/agent-status.ts';

/** Of the process, in the units of their names. */
export type ProcessFigures = { residentBytes: number; cpuSeconds: number; startedAtSeconds: number };

type Sample = { labels?: Record<string, string>; value: number };
type Metric = { name: string; type: 'counter' | 'gauge'; help: string; samples: Sample[] };

export function metricsText(status: AgentStatus, figures: ProcessFigures): string {
  return toMetrics(status, figures)
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples.map((sample) => line(name, sample)),
      ].join('\n'),
    )
    .join('\n')
    .concat('\n');
}

function toMetrics({ agent, delivery, lastReport, spool, plugins }: AgentStatus, figures: ProcessFigures) {
  const each = (value: (plugin: AgentStatus['plugins'][number]) => number | null): Sample[] =>
    plugins.flatMap((plugin) => optional(value(plugin), { plugin: plugin.name }));
  return [
    gauge('agent_info', 'Version of the agent, and the host that it reports.', [
      { labels: { version: agent.version, host_id: agent.hostId }, value: 1 },
    ]),
    counter('agent_reports_total', 'Reports by what became of them since the start.', [
      { labels: { outcome: 'acknowledged' }, value: delivery.acknowledgedReports },
      { labels: { outcome: 'refused' }, value: delivery.refusedReports },
      { labels: { outcome: 'dropped' }, value: delivery.droppedReports },
    ]),
    counter('agent_delivery_failures_total', 'Attempts at which the API took nothing.', [
      { value: delivery.failures },
    ]),
    gauge(
      'agent_last_collected_timestamp_seconds',
      'When the last report was collected.',
      optional(seconds(lastReport?.collectedAt ?? null)),
    ),
    gauge(
      'agent_last_acknowledged_timestamp_seconds',
      'When the API last took a report.',
      optional(seconds(delivery.lastAcknowledgedAt)),
    ),
    gauge('agent_interval_seconds', 'Time from one report to the next.', [{ value: agent.intervalSeconds }]),
    gauge('agent_spool_reports', 'Reports that wait for the API.', [
      { labels: { where: 'disk' }, value: spool.reports },
      { labels: { where: 'memory' }, value: spool.memoryReports },
    ]),
    gauge('agent_spool_bytes', 'Disk space of the reports that wait.', [{ value: spool.bytes }]),
    gauge('agent_spool_max_bytes', 'Disk space that they may take.', [{ value: spool.maxBytes }]),
    gauge(
      'agent_spool_oldest_timestamp_seconds',
      'When the oldest report that waits was collected.',
      optional(seconds(spool.oldestAt)),
    ),
    gauge('agent_dead_letters', 'Files of reports that the API refused for good.', [
      { value: spool.deadLetters },
    ]),
    gauge(
      'agent_plugin_duration_seconds',
      'What the last collection took.',
      each(({ durationMs }) => durationMs && durationMs / 1_000),
    ),
    counter(
      'agent_plugin_failures_total',
      'Collections that failed since the start.',
      each(({ failures }) => failures),
    ),
    gauge(
      'agent_plugin_up',
      '1 unless the last collection failed.',
      each(({ failuresInARow }) => (failuresInARow === 0 ? 1 : 0)),
    ),
    gauge(
      'agent_plugin_last_ok_timestamp_seconds',
      'When it last brought facts.',
      each(({ lastOkAt }) => seconds(lastOkAt)),
    ),
    ...processMetrics(figures),
  ];
}

/** By the names that every client library of Prometheus uses. */
function processMetrics({ residentBytes, cpuSeconds, startedAtSeconds }: ProcessFigures): Metric[] {
  return [
    metric('process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.', residentBytes),
    metric('process_cpu_seconds_total', 'counter', 'Total user and system CPU time in seconds.', cpuSeconds),
    metric(
      'process_start_time_seconds',
      'gauge',
      'Start time of the process since 1970 in seconds.',
      startedAtSeconds,
    ),
  ];
}

function metric(name: string, type: Metric['type'], help: string, value: number): Metric {
  return { name, type, help, samples: [{ value }] };
}

function gauge(name: string, help: string, samples: Sample[]): Metric {
  return { name: `os_inspector_${name}`, type: 'gauge', help, samples };
}

function counter(name: string, help: string, samples: Sample[]): Metric {
  return { name: `os_inspector_${name}`, type: 'counter', help, samples };
}

/** What is unknown is left out. */
function optional(value: number | null, labels: Record<string, string> = {}): Sample[] {
  return value === null ? [] : [{ labels, value }];
}

function seconds(time: string | null): number | null {
  return time === null ? null : Date.parse(time) / 1_000;
}

function line(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
