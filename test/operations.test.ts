/** Dashboard, alert rules and docs/operations.md, held to what /metrics gives. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultLoaders } from 'cosmiconfig';
import { beforeAll, describe, expect, test } from 'vitest';
import { Failure } from '../api/failure.ts';
import { makeMetrics } from '../api/operations/metrics.ts';
import { openTestApi, submitMutation } from './support/api.ts';
import { operations, tableOf } from './support/documents.ts';
import { eventually } from './support/eventually.ts';
import { testIf } from './support/needs.ts';
import { repository, run } from './support/process.ts';
import { hostId } from './support/reports.ts';

const rulesFile = 'packaging/prometheus/os-inspector.rules.yaml';
const text = (file: string) => readFileSync(join(repository, file), 'utf8');

type Rule = { alert: string; expr: string; for?: string; labels: { severity: string }; annotations: object };
const parsed = defaultLoaders['.yaml'](rulesFile, text(rulesFile)) as { groups: { rules: Rule[] }[] };
const rules = parsed.groups.flatMap((group) => group.rules);

type Panel = { title: string; targets?: { expr: string }[] };
const dashboard = JSON.parse(text('packaging/grafana/os-inspector.json')) as { panels: Panel[] };
const panels = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

/** Of each series, what its labels are. */
const series = new Map<string, Record<string, string>[]>();

beforeAll(async () => {
  let isAway = false;
  const metrics = makeMetrics();
  metrics.watchSocket({ refusedConnections: () => 1, certificateExpiresAt: () => Date.now() });
  const api = await openTestApi({
    metrics,
    limits: { addressLimit: null, reportLimit: null, operationLimit: { most: 4, perSeconds: 60 } },
    wrapBucket: (bucket) => ({
      ...bucket,
      put: (key, body) => {
        if (isAway) throw new Failure('UNAVAILABLE', 'away');
        return bucket.put(key, body);
      },
    }),
  });
  const submit = (number: number) =>
    api.ask(submitMutation, {
      input: { host: { id: hostId(number), name: 'web' }, collectedAt: new Date(), results: [] },
    });
  await submit(1);
  isAway = true;
  await submit(2);
  await api.fetch('/ready');
  isAway = false;
  for (let asked = 0; asked < 9; asked += 1) await api.ask('{ hosts { totalCount } }');
  // An index that is busy is not waited for, and then there is no count of hosts yet.
  const exposed = await eventually('that hosts are counted', async () => {
    const page = await (await api.fetch('/metrics')).text();
    return page.includes('os_inspector_api_hosts{') && page;
  });
  for (const [, name = '', labels = ''] of exposed.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const own = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]);
    series.set(name, [...(series.get(name) ?? []), Object.fromEntries(own)]);
  }
});

/** Labels that Prometheus gives to whatever it scrapes. */
const ofTarget = ['job', 'instance'];
/** Nobody can make a bug happen to order. */
const unseen = ['INTERNAL_SERVER_ERROR'];

/** What of an expression there is none of, in words. */
function problemsOf(expr: string): string[] {
  const selectors = [...expr.matchAll(/\b((?:os_inspector_api|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)];
  // The variables of the dashboard leave nothing else to look at.
  if (selectors.length === 0) return expr.includes('up{') ? [] : [`${expr} asks for nothing`];
  const problems: string[] = [];
  const labels = new Set(ofTarget);
  for (const [, name = '', matchers = ''] of selectors) {
    const all = series.get(name);
    if (!all) {
      problems.push(`no metric ${name}`);
      continue;
    }
    for (const label of all.flatMap(Object.keys)) labels.add(label);
    for (const [, label = '', how, value = ''] of matchers.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)) {
      if (ofTarget.includes(label) || unseen.includes(value)) continue;
      const isSuch = (own = '') => (how === '=~' ? new RegExp(`^(?:${value})$`).test(own) : own === value);
      if (!all.some((own) => label in own)) problems.push(`${name} has no ${label}`);
      else if (!all.some((own) => isSuch(own[label]))) problems.push(`${name} has no ${label} ${value}`);
    }
  }
  for (const [, list = ''] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) {
    const unknown = list.split(/, */).filter((label) => !labels.has(label));
    problems.push(...unknown.map((label) => `there is no label ${label}`));
  }
  return problems;
}

test('what is no metric, label or value is found', () => {
  expect(problemsOf('rate(os_inspector_api_made_up[5m])')).toEqual(['no metric os_inspector_api_made_up']);
  expect(problemsOf('sum by (colour) (os_inspector_api_hosts{shape="x", status="DEAD"})')).toEqual([
    'os_inspector_api_hosts has no shape',
    'os_inspector_api_hosts has no status DEAD',
    'there is no label colour',
  ]);
});

test.each(panels)('the panel "%s" asks for what there is: %s', (_title, expr) => {
  expect(problemsOf(expr)).toEqual([]);
});

describe.each(rules)('the alert $alert', ({ expr, labels, annotations }) => {
  test('asks for what there is', () => {
    expect(problemsOf(expr)).toEqual([]);
  });

  test('says how bad it is, and what', () => {
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    expect(annotations).toHaveProperty('summary');
  });
});

const promtool = await run('promtool', ['--version']).then(
  ({ code }) => code === 0,
  () => false,
);

testIf(
  promtool,
  'promtool is not installed',
  'each alert fires when it should, and not otherwise',
  async () => {
    const check = await run('promtool', ['check', 'rules', rulesFile]);
    expect(check, check.stdout + check.stderr).toMatchObject({ code: 0 });
    const tested = rulesFile.replace('.yaml', '.test.yaml');
    const outcome = await run('promtool', ['test', 'rules', tested]);
    expect(outcome, outcome.stdout + outcome.stderr).toMatchObject({ code: 0 });
    // Those that are tested are all there are.
    const fired = [...text(tested).matchAll(/\{alertname="(\w+)"\}/g)].map(([, name]) => name);
    expect(fired).toEqual(rules.map(({ alert }) => alert));
  },
);

describe('docs/operations.md', () => {
  test('tells of every metric of ours, with its labels', () => {
    const ours = [...series.keys()].filter((name) => name.startsWith('os_inspector_api_'));
    const families = new Map(
      ours.map((name) => [
        name.replace(/_(?:bucket|sum|count)$/, ''),
        series.get(name)?.flatMap(Object.keys),
      ]),
    );
    const told = tableOf(operations, 'Metric').map(([name, labels = '']) => [
      name,
      labels.split(/, */).filter(Boolean).sort(),
    ]);
    const wanted = [...families].map(([name, labels = []]) => [
      name,
      [...new Set(labels)].filter((label) => label !== 'le').sort(),
    ]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(wanted));
  });

  test('tells what to do about every alert', () => {
    const told = tableOf(operations, 'Alert').map(([name, severity]) => [name, severity]);
    expect(told).toEqual(rules.map(({ alert, labels }) => [alert, labels.severity]));
  });
});
