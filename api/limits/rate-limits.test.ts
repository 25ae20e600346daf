/** What a client is answered that asks too often. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { factSetHash } from '../../plugins/fact-set.ts';
import { openTestApi, type TestApi } from '../../test/support/api.ts';
import { pythonReport } from '../../test/support/python-reports.ts';
import { hostId } from '../../test/support/reports.ts';
import { readStoredIn } from '../../test/support/stored.ts';
import { type LimitsSettings, noLimits } from './limits.ts';

const perMinute = (most: number) => ({ most, perSeconds: 60 }) as const;
const openLimited = (limits: Partial<Record<keyof LimitsSettings, ReturnType<typeof perMinute>>>) =>
  openTestApi({ limits: { ...noLimits, ...limits } });

const pythonReportText = JSON.stringify(pythonReport);

const inputs = (count: number) =>
  Array.from({ length: count }, (_, number) => ({
    id: `0198f3a0-0000-7000-9000-${String(number).padStart(12, '0')}`,
    host: { id: hostId(1), name: 'web-1' },
    collectedAt: '2026-05-01T12:00:00Z',
    results: [],
  }));

const post = (api: TestApi, body: object) =>
  api.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** What every refusal has in common. */
async function expectTooMany(response: Response, message: RegExp): Promise<unknown> {
  expect(response.status).toBe(429);
  const retryAfter = Number(response.headers.get('retry-after'));
  expect(retryAfter).toBeGreaterThanOrEqual(1);
  expect(retryAfter).toBeLessThanOrEqual(60);
  const body = await response.json();
  expect(JSON.stringify(body)).toMatch(message);
  return body;
}

test('operations: 429, RATE_LIMITED, and when to come again; queries, mutations and subscriptions alike', async () => {
  const api = await openLimited({ operationLimit: perMinute(2) });
  for (const _ of [1, 2]) expect((await post(api, { query: '{ __typename }' })).status).toBe(200);
  const response = await post(api, { query: '{ __typename }' });
  const retryAfter = Number(response.headers.get('retry-after'));
  expect(
    await expectTooMany(response, /too many operations: 2 in a minute are allowed; come again in \d+ s/),
  ).toMatchObject({
    errors: [{ extensions: { code: 'RATE_LIMITED', path: [], retryAfter } }],
  });
  await expectTooMany(await api.fetch('/graphql?query={__typename}'), /RATE_LIMITED/);
  const subscription = await api.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: 'subscription { reportSubmitted { id } }' }),
  });
  expect(await subscription.text()).toMatch(/too many operations/);
  for (const path of ['/export/hosts.ndjson', '/report?ip=192.0.2.20']) {
    expect(await expectTooMany(await api.fetch(path), /too many operations/)).toMatchObject({
      status: 'error',
    });
  }
  for (const path of ['/health', '/ready']) expect((await api.fetch(path)).status).toBe(200);
});

test('routes count as operations do', async () => {
  const api = await openLimited({ operationLimit: perMinute(2) });
  expect((await api.fetch('/export/hosts.ndjson')).status).toBe(200);
  expect((await api.fetch('/report', { method: 'POST', body: pythonReportText })).status).toBe(200);
  await expectTooMany(await api.fetch('/export/hosts.ndjson'), /too many operations/);
});

test('of reports that come together those that fit are taken; the others are told when to come again', async () => {
  const api = await openLimited({ reportLimit: perMinute(3) });
  const query = `mutation ($inputs: [SubmitReportInput!]!) {
    submitReports(inputs: $inputs) { payload { duplicate } error { code message path retryAfterSeconds } }
  }`;
  const response = await post(api, { query, variables: { inputs: inputs(5) } });
  expect(response.status).toBe(200);
  const { data } = await response.json();
  const taken = { payload: { duplicate: false }, error: null };
  const error = {
    code: 'RATE_LIMITED',
    message: expect.stringMatching(/^too many reports: 3 in a minute are allowed; come again in/),
    path: [],
    retryAfterSeconds: expect.any(Number),
  };
  const refused = { payload: null, error };
  expect(data.submitReports).toEqual([taken, taken, taken, refused, refused]);
  expect((await readStoredIn(`${api.folder}/bucket`)).size).toBe(3);

  const one = 'mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate } }';
  const alone = await post(api, { query: one, variables: { input: inputs(4)[3] } });
  expect(await expectTooMany(alone, /too many reports/)).toMatchObject({
    data: null,
    errors: [{ extensions: { code: 'RATE_LIMITED' } }],
  });
  const old = await api.fetch('/report', { method: 'POST', body: pythonReportText });
  expect(await expectTooMany(old, /too many reports/)).toMatchObject({ status: 'error' });
});

test('reports that are refused for something else than their number still count', async () => {
  const api = await openLimited({ reportLimit: perMinute(1) });
  const [input] = inputs(1);
  const factsHash = factSetHash('os', { kernel: '6.1' });
  const unknown = { ...input, results: [{ plugin: 'os', status: 'OK', factsHash }] };
  const query = 'mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate } }';
  const { errors } = await (await post(api, { query, variables: { input: unknown } })).json();
  expect(errors[0].extensions.code).toBe('FACTS_UNKNOWN');
  await expectTooMany(await post(api, { query, variables: { input } }), /too many reports/);
});

test('requests from one address, over a socket, before their body is read', async () => {
  const api = await openLimited({ addressLimit: perMinute(2) });
  const http = createServer(api.listener);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => http.close(() => resolve())));
  const { port } = http.address() as AddressInfo;
  const ask = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers: { connection: 'close', ...init?.headers } });
  for (const _ of [1, 2]) expect((await ask('/graphql?query={__typename}')).status).toBe(200);
  expect(
    await expectTooMany(await ask('/graphql?query={__typename}'), /too many requests from this address/),
  ).toMatchObject({
    errors: [{ extensions: { code: 'RATE_LIMITED' } }],
  });
  // No body that is too large or no gzip is looked at any more.
  const broken = await ask('/report', {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: 'no gzip',
  });
  expect(await expectTooMany(broken, /too many requests/)).toMatchObject({ status: 'error' });
  expect((await ask('/health')).status).toBe(200);
});
