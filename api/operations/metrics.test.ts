import { expect, test } from 'vitest';
import { dataOf, openTestApi, submitMutation } from '../../test/support/api.ts';
import { hostId } from '../../test/support/reports.ts';
import type { Identity } from '../auth/identity.ts';
import { Failure } from '../failure.ts';

/** The text format of Prometheus, read strictly: each sample belongs to a metric that was told of before. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.trimEnd().split('\n')) {
    const [, kind, metric = '', rest = ''] = /^# (HELP|TYPE) ([a-z0-9_]+) (.+)$/.exec(line) ?? [];
    if (kind === 'TYPE') types.set(metric, rest);
    if (kind || line === '') continue;
    const [, name = '', labels = '', value = ''] = /^([a-z0-9_]+)(\{[^}]*\})? (\S+)$/.exec(line) ?? [];
    const family = types.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');
    if (!types.has(family) || Number.isNaN(Number(value))) throw new Error(`not a sample: ${line}`);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

const report = (number: number) => ({
  host: { id: hostId(number), name: `web-${number}` },
  collectedAt: new Date().toISOString(),
  intervalSeconds: 60,
  droppedReports: 2,
  results: [],
});

const named = (name: string) => `os_inspector_api_${name}`;

test('it is counted what is asked, stored and refused', async () => {
  let isAway = false;
  const api = await openTestApi({
    wrapBucket: (bucket) => ({
      ...bucket,
      put: (key, body) =>
        isAway ? Promise.reject(new Failure('UNAVAILABLE', 'away')) : bucket.put(key, body),
    }),
    limits: { addressLimit: null, operationLimit: { most: 8, perSeconds: 60 }, reportLimit: null },
  });
  const id = '0198f3a0-5c1e-7d3b-9a2f-1c2d3e4f5a6b';
  for (let time = 0; time < 2; time += 1)
    await dataOf(api.ask(submitMutation, { input: { id, ...report(1) } }));
  isAway = true;
  await api.ask(submitMutation, { input: report(2) });
  await api.ask('query MadeUpByAClient { hosts { totalCount } }');
  await api.ask('{ nothing }');
  await api.ask('query ($id: UUID!) { host(id: $id) { id } }', { id: 'x' });
  await api.fetch('/made/up/by/a/client');
  for (let time = 0; time < 9; time += 1) await api.fetch('/export/hosts.csv');

  const response = await api.fetch('/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  const samples = parse(text);
  const value = (name: string) => samples.get(named(name));
  expect(text).not.toMatch(/MadeUp|made\/up/);
  expect(value('reports_total{outcome="stored"}')).toBe(1);
  expect(value('reports_total{outcome="duplicate"}')).toBe(1);
  expect(value('reports_total{outcome="refused"}')).toBe(1);
  expect(value('dropped_reports_total')).toBe(2);
  expect(value('operations_total{type="mutation",field="submitReport",code="OK"}')).toBe(2);
  expect(value('operations_total{type="mutation",field="submitReport",code="UNAVAILABLE"}')).toBe(1);
  expect(value('operations_total{type="query",field="hosts",code="OK"}')).toBe(1);
  expect(value('operation_seconds_count{type="query",field="hosts"}')).toBe(1);
  expect(value('requests_total{route="other",method="GET",status="404"}')).toBe(1);
  expect(value('refused_total{reason="limit"}')).toBeGreaterThan(0);
  expect(value('commit_reports_sum')).toBe(1);
  expect(value('commit_bytes_count')).toBe(1);
  expect(value('bucket_calls_total{call="put",outcome="error"}')).toBe(1);
  expect(value('hosts{status="ONLINE"}')).toBe(1);
  expect(value('subscribers')).toBe(0);
  expect(value('index_lag_seconds')).toBe(0);
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
});

test('metrics are for those who may read all of it', async () => {
  const api = await openTestApi();
  const who = (scopes: Identity['scopes'], narrowedTo: Identity['narrowedTo'] = null): Identity => ({
    ...{ kind: 'token', id: 'x', name: 'x', scopes, narrowedTo },
  });
  const status = async (identity: Identity) => (await api.as(identity).fetch('/metrics')).status;
  expect(await status(who(new Set(['read'])))).toBe(200);
  expect(await status(who(new Set(['submit'])))).toBe(403);
  expect(await status(who(new Set(['read']), { hostId: null, labels: { team: 'a' } }))).toBe(403);
});
