/**
 * dashboard: makes packaging/grafana/os-inspector.json, the dashboard of the API for Grafana.
 *
 * Rows of panels, from what an operator looks at first to what only explains the rest. Each panel is its queries; where it is
 * and how it looks follows from them.
 */
import { hostStatuses } from '../api/schema/host-status.ts';

type Query = {
  expr: string;
  /** What a line is called, with labels as in `{{route}}`. */
  legend: string;
};

type Panel = {
  title: string;
  queries: Query[];
  /** Grafana's name. @default short */
  unit?: string;
  /** stat: the newest value alone. @default lines */
  as?: 'stat' | 'stacked';
  /** Why it matters, where the title does not tell. */
  description?: string;
};

const api = 'os_inspector_api_';
/** What every query is narrowed to: the nodes chosen at the top of the dashboard. */
const chosen = 'job=~"$job", instance=~"$instance"';

const of = (metric: string, more = '') => `${metric}{${chosen}${more === '' ? '' : `, ${more}`}}`;
const ours = (name: string, more?: string) => of(api + name, more);
const rate = (by: string, name: string, more?: string): Query => ({
  expr: `sum by (${by}) (rate(${ours(name, more)}[$__rate_interval]))`,
  legend: `{{${by}}}`,
});
const quantile = (share: number, name: string, by = ''): Query => ({
  expr: `histogram_quantile(${share}, sum by (${['le', by].filter(Boolean).join(', ')}) (rate(${ours(`${name}_bucket`)}[$__rate_interval])))`,
  legend: by === '' ? `p${share * 100}` : `{{${by}}}`,
});
/** Of what each node tells for itself. */
const node = (metric: string, more?: string): Query => ({ expr: of(metric, more), legend: '{{instance}}' });
/** Every node counts all hosts: the largest answer is the newest. */
const hosts = `max by (status) (${ours('hosts')})`;

const quantiles = (name: string) => [0.5, 0.9, 0.99].map((share) => quantile(share, name));
const mean = (name: string): Query => ({
  expr: `sum(rate(${ours(`${name}_sum`)}[$__rate_interval])) / sum(rate(${ours(`${name}_count`)}[$__rate_interval]))`,
  legend: 'mean',
});

const rows: { title: string; panels: Panel[] }[] = [
  {
    title: 'The fleet',
    panels: [
      { title: 'Nodes up', as: 'stat', queries: [{ expr: `sum(up{${chosen}})`, legend: 'up' }] },
      {
        title: 'Hosts',
        as: 'stat',
        queries: [{ expr: hosts, legend: '{{status}}' }],
        description: Object.entries(hostStatuses)
          .map(([status, { description }]) => `${status}: ${description}`)
          .join('\n\n'),
      },
      { title: 'Hosts over time', as: 'stacked', queries: [{ expr: hosts, legend: '{{status}}' }] },
      { title: 'Reports', unit: 'reqps', as: 'stacked', queries: [rate('outcome', 'reports_total')] },
      {
        title: 'Reports that agents dropped',
        queries: [{ expr: `sum(increase(${ours('dropped_reports_total')}[1h]))`, legend: 'in an hour' }],
        description: 'Their spools were full before they could send. They tell with the next report.',
      },
      {
        title: 'Refused before they were looked at',
        unit: 'reqps',
        queries: [
          rate('reason', 'refused_total'),
          { ...rate('instance', 'refused_connections_total'), legend: 'connections of {{instance}}' },
        ],
        description: 'busy: too many at a time. limit: too often. credentials: by a stranger.',
      },
    ],
  },
  {
    title: 'Requests',
    panels: [
      { title: 'Requests', unit: 'reqps', as: 'stacked', queries: [rate('route', 'requests_total')] },
      {
        title: 'Requests that failed',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (route, status) (rate(${ours('requests_total', 'status=~"5.."')}[$__rate_interval]))`,
            legend: '{{route}} {{status}}',
          },
        ],
      },
      { title: 'Time of a request', unit: 's', queries: quantiles('request_seconds') },
      { title: 'Operations', unit: 'reqps', as: 'stacked', queries: [rate('field', 'operations_total')] },
      {
        title: 'Operations with errors',
        unit: 'reqps',
        queries: [rate('code', 'operations_total', 'code!="OK"')],
      },
      {
        title: 'Time of an operation, p99',
        unit: 's',
        queries: [quantile(0.99, 'operation_seconds', 'field')],
      },
      { title: 'Subscriptions', queries: [node(`${api}subscribers`)] },
      { title: 'Exports', queries: [node(`${api}exports`)] },
    ],
  },
  {
    title: 'Bucket and index',
    panels: [
      { title: 'Time of a commit', unit: 's', queries: quantiles('commit_seconds') },
      { title: 'Reports of a commit', queries: [...quantiles('commit_reports'), mean('commit_reports')] },
      {
        title: 'Size of a commit',
        unit: 'bytes',
        queries: [...quantiles('commit_bytes'), mean('commit_bytes')],
      },
      {
        title: 'Calls of the bucket',
        unit: 'reqps',
        as: 'stacked',
        queries: [rate('call', 'bucket_calls_total')],
      },
      {
        title: 'Calls of the bucket that failed',
        unit: 'reqps',
        queries: [rate('call', 'bucket_calls_total', 'outcome="error"')],
      },
      {
        title: 'Time of a call of the bucket, p99',
        unit: 's',
        queries: [quantile(0.99, 'bucket_call_seconds', 'call')],
      },
      { title: 'Index behind the bucket', unit: 's', queries: [node(`${api}index_lag_seconds`)] },
      {
        title: 'Segments the index did not take',
        queries: [rate('instance', 'index_missed_segments_total')],
        description: 'Catch-up brings them: nothing is lost.',
      },
    ],
  },
  {
    title: 'Processes',
    panels: [
      {
        title: 'Processors in use',
        queries: [
          { expr: `rate(${of('process_cpu_seconds_total')}[$__rate_interval])`, legend: '{{instance}}' },
        ],
      },
      { title: 'Memory', unit: 'bytes', queries: [node('process_resident_memory_bytes')] },
      { title: 'Late with its work, p99', unit: 's', queries: [node('nodejs_eventloop_lag_p99_seconds')] },
      { title: 'Open files', queries: [node('process_open_fds')] },
      {
        title: 'Certificate ends in',
        unit: 's',
        as: 'stat',
        queries: [{ expr: `${ours('certificate_expires_at_seconds')} - time()`, legend: '{{instance}}' }],
      },
    ],
  },
];

const source = { type: 'prometheus', uid: '$datasource' };
/** Grafana's grid is 24 wide. */
const width = 8;
const height = 7;

/** The dashboard as JSON, with all its rows. */
export function dashboard(): string {
  let id = 0;
  let y = 0;
  const panels = rows.flatMap((row) => {
    id += 1;
    const head = {
      id,
      type: 'row',
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    };
    y += 1;
    const placed = row.panels.map((panel, index) => {
      id += 1;
      const x = (index * width) % 24;
      const top = y + Math.floor((index * width) / 24) * height;
      return { id, ...panelOf(panel), gridPos: { x, y: top, w: width, h: height } };
    });
    y += Math.ceil((row.panels.length * width) / 24) * height;
    return [head, ...placed];
  });
  const whole = {
    uid: 'os-inspector',
    title: 'os-inspector',
    description: 'The API of os-inspector: docs/operations.md tells of each figure.',
    tags: ['os-inspector'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    templating: { list: [dataSource, choice('job', `label_values(${api}subscribers, job)`), instances] },
    panels,
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

function panelOf({ title, queries, unit = 'short', as, description = '' }: Panel): object {
  const stacking = { mode: as === 'stacked' ? 'normal' : 'none', group: 'A' };
  const custom =
    as === 'stat'
      ? {}
      : { custom: { fillOpacity: as === 'stacked' ? 30 : 0, showPoints: 'never', stacking } };
  return {
    type: as === 'stat' ? 'stat' : 'timeseries',
    title,
    description,
    datasource: source,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: source,
      expr,
      legendFormat: legend,
      range: as !== 'stat',
      instant: as === 'stat',
    })),
    fieldConfig: { defaults: { unit, min: 0, ...custom }, overrides: [] },
    options:
      as === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] } }
        : { tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

const dataSource = { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' };

function choice(name: string, query: string): object {
  return {
    ...{ name, label: name, type: 'query', datasource: source, query, refresh: 2 },
    ...{ multi: true, includeAll: true, allValue: '.*', current: { text: 'All', value: '$__all' } },
  };
}

const instances = choice('instance', `label_values(${api}subscribers{job=~"$job"}, instance)`);
