import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { dataOf, openTestApi, submitMutation } from '../test/support/api.ts';
import { hostId, storedReport } from '../test/support/reports.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { openFolderBucket } from './bucket/folder-bucket.ts';
import type { IndexStore } from './index/index-store.ts';
import { openSqliteIndex } from './index/sqlite-index.ts';
import { openIntake } from './intake.ts';
import { encodeReport, encodeSegment } from './log/segment.ts';
import { segmentKey } from './log/segment-key.ts';
import { buildSchema } from './schema/schema.ts';
import { openService } from './service.ts';

const input = (id: string) => ({
  id,
  host: { id: hostId(1), name: 'web-1' },
  collectedAt: '2026-05-01T10:00:00Z',
  results: [],
});

test('our own bugs are masked for clients, and logged', async () => {
  const folder = await temporaryFolder();
  const plugins = await loadBuiltinPlugins();
  const index = await openSqliteIndex({ file: join(folder, 'index.db'), bucket: 'here', plugins });
  const logged: string[] = [];
  const failing = { reports: () => Promise.reject(new TypeError('secret detail')) };
  const service = await openService({
    bucket: await openFolderBucket(join(folder, 'bucket')),
    index: { ...index, ...failing, forRequest: () => ({ ...index, ...failing }) },
    schema: buildSchema(plugins),
    plugins,
    logger: pino({}, { write: (line: string) => logged.push(line) }),
  });
  const response = await service.server.fetch('http://api.test/graphql?query={reports{nodes{id}}}');
  const text = await response.text();
  expect(JSON.parse(text).errors).toMatchObject([
    { extensions: { code: 'INTERNAL_SERVER_ERROR' }, path: ['reports'] },
  ]);
  expect(text).not.toMatch(/secret|stack|\.ts/);
  const python = await service.server.fetch('http://api.test/report?ip=10.0.0.1');
  expect([python.status, await python.json()]).toEqual([500, { status: 'error', error: 'internal error' }]);
  expect(logged.filter((line) => line.includes('secret detail'))).toHaveLength(2);
  await service.close();
});

test('while the index is down reports are acknowledged, and appear once it is up again', async () => {
  const folder = await temporaryFolder();
  const plugins = await loadBuiltinPlugins();
  const bucket = await openFolderBucket(join(folder, 'bucket'));
  const index = await openSqliteIndex({ file: join(folder, 'index.db'), bucket: 'here', plugins });
  const down: IndexStore = {
    ...index,
    apply: () => Promise.reject(new Error('index is down')),
    reportsById: () => Promise.reject(new Error('index is down')),
    hostsById: () => Promise.reject(new Error('index is down')),
  };
  const logged: string[] = [];
  const logger = pino({}, { write: (line: string) => logged.push(line) });
  const service = await openService({ bucket, index: down, schema: buildSchema(plugins), plugins, logger });
  const response = await service.server.fetch('http://api.test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: `mutation ($input: SubmitReportInput!) {
        submitReport(input: $input) { duplicate report { id host { id name status } } }
      }`,
      variables: { input: input(hostId(7)) },
    }),
  });
  const host = { id: hostId(1), name: 'web-1', status: 'ONLINE' };
  expect(await response.json()).toEqual({
    data: { submitReport: { duplicate: false, report: { id: hostId(7), host } } },
  });
  expect(logged.join()).toContain('index did not take segments');
  await service.close();

  const api = await openTestApi({ folder });
  const { reports } = await dataOf(api.ask('{ reports { nodes { id } } }'));
  expect(reports.nodes).toEqual([{ id: hostId(7) }]);
});

test('a report that is being written at this moment is a duplicate for whoever sends it again', async () => {
  const put = Promise.withResolvers<void>();
  const appended: string[] = [];
  const intake = openIntake({
    index: { reportsById: async (ids) => ids.map(() => null) },
    log: {
      append(report) {
        appended.push(report.id);
        return put.promise;
      },
      close: async () => {},
    },
    onIndexError: (cause) => {
      throw cause;
    },
  });
  const report = storedReport();
  const both = Promise.all([intake.submit(report), intake.submit(report)]);
  put.resolve();
  expect((await both).map(({ duplicate }) => duplicate)).toEqual([false, true]);
  expect(appended).toEqual([report.id]);
});

test('an API that starts finds what others wrote into its bucket', async () => {
  const folder = await temporaryFolder();
  const bucket = await openFolderBucket(join(folder, 'bucket'));
  const report = storedReport();
  await bucket.put(segmentKey([report]), await encodeSegment([encodeReport(report)]));
  const api = await openTestApi({ folder });
  expect((await dataOf(api.ask('{ reports { totalCount } }'))).reports.totalCount).toBe(1);
  const again = await dataOf(api.ask(submitMutation, { input: input(report.id) }));
  expect(again.submitReport.duplicate).toBe(true);
});

test('routes: health, readiness, the way to GraphiQL, and what is not there', async () => {
  const api = await openTestApi();
  const get = async (path: string) => {
    const response = await api.fetch(path, { redirect: 'manual' });
    return [response.status, response.headers.get('location') ?? (await response.json())];
  };
  expect(await get('/health')).toEqual([200, { health: 'ok' }]);
  expect(await get('/ready')).toEqual([200, { ready: true }]);
  expect(await get('/')).toEqual([302, '/graphql']);
  expect(await get('/nothing')).toEqual([404, expect.objectContaining({ status: 'error' })]);
  expect((await api.fetch('/graphql?query={__typename}')).status).toBe(200);
  expect((await api.fetch('/health', { method: 'HEAD' })).status).toBe(200);
  await api.close();
  expect(await get('/ready')).toEqual([503, expect.objectContaining({ ready: false })]);
  expect(await get('/health')).toEqual([200, { health: 'ok' }]);
});

test('what a page of another site sends is refused; agents, scripts and GraphiQL are not', async () => {
  const api = await openTestApi();
  const query = JSON.stringify({ query: submitMutation, variables: { input: input(hostId(3)) } });
  const post = async (path: string, headers: Record<string, string>) =>
    (await api.fetch(path, { method: 'POST', headers: { host: 'api.test', ...headers }, body: query }))
      .status;
  const json = { 'content-type': 'application/json' };
  expect(await post('/graphql', { ...json, origin: 'http://evil.example' })).toBe(403);
  expect(await post('/graphql', { ...json, origin: 'null' })).toBe(403);
  expect(await post('/graphql', { ...json, 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await post('/report', { 'content-type': 'text/plain', origin: 'http://evil.example' })).toBe(403);
  expect((await dataOf(api.ask('{ reports { totalCount } }'))).reports.totalCount).toBe(0);
  expect(await post('/graphql', { ...json, origin: 'http://api.test' })).toBe(200);
  expect(
    await post('/graphql', { ...json, 'sec-fetch-site': 'same-origin', origin: 'https://proxy.example' }),
  ).toBe(200);
  expect(await post('/graphql', json)).toBe(200);
});

test('every error has a code, and none repeats what was sent', async () => {
  const api = await openTestApi();
  const send = async (body: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await api.fetch('/graphql', { method: 'POST', headers, body });
    return JSON.stringify(await response.json());
  };
  const deep = (levels: number): unknown => (levels === 0 ? {} : { not: deep(levels - 1) });
  const cases: [string, string][] = [
    ['{"secret', 'BAD_REQUEST'],
    [JSON.stringify({ query: 'subscription { secret }' }), 'GRAPHQL_VALIDATION_FAILED'],
    [JSON.stringify({ query: `{ ${'a: __typename '.repeat(5000)} }` }), 'GRAPHQL_PARSE_FAILED'],
    [
      JSON.stringify({
        query: 'query ($f: ReportFilter) { reports(filter: $f) { totalCount } }',
        variables: { f: deep(3000) },
      }),
      'BAD_USER_INPUT',
    ],
    [
      `{"query":"query ($f: ReportFilter) { reports(filter: $f) { totalCount } }","variables":{"f":${'{"not":'.repeat(30_000)}{}${'}'.repeat(30_000)}}}`,
      'BAD_USER_INPUT',
    ],
  ];
  for (const [body, code] of cases) {
    const answer = await send(body);
    expect(JSON.parse(answer).errors[0].extensions.code, answer).toBe(code);
    expect(answer).not.toContain('originalError');
    expect(answer.length).toBeLessThan(2000);
  }
});

test('an index that hangs keeps no report from being taken', async () => {
  vi.useFakeTimers();
  const errors: unknown[] = [];
  const intake = openIntake({
    index: { reportsById: () => new Promise(() => {}) },
    log: { append: async () => {}, close: async () => {} },
    onIndexError: (cause) => errors.push(cause),
  });
  const submitted = intake.submit(storedReport());
  await vi.advanceTimersByTimeAsync(2_000);
  expect((await submitted).duplicate).toBe(false);
  expect(errors).toHaveLength(1);
  vi.useRealTimers();
});
