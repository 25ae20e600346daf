import { AsyncLocalStorage } from 'node:async_hooks';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { openTestApi, submitMutation } from '../../test/support/api.ts';
import { apiLog } from '../../test/support/api-log.ts';
import { eventually } from '../../test/support/eventually.ts';
import { memoryBucket } from '../../test/support/memory-bucket.ts';
import { hostId, storedReport } from '../../test/support/reports.ts';
import { type CollectedSpan, openTraceCollector } from '../../test/support/trace-collector.ts';
import type { Bucket } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { openLog } from '../log/log.ts';
import { openApiLog } from './api-log.ts';
import { type OpenTracingOptions, openTracing } from './open-tracing.ts';
import { tracedBucket, tracedLog } from './traced-parts.ts';

afterEach(() => void vi.unstubAllEnvs());

const everyRequest = { sampler: 'parentbased_always_on', ratio: 1 } as const;

async function openTraced(options: Partial<OpenTracingOptions> = {}) {
  const collector = await openTraceCollector();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  const logger = pino({ enabled: false });
  return { collector, tracing: openTracing({ settings: everyRequest, logger, ...options }) };
}

const input = (number: number) => ({
  host: { id: hostId(number), name: `web-${number}` },
  collectedAt: '2026-05-01T10:00:00Z',
  results: [],
});

/** `name` under `name of its parent`; a parent of another process is only an id. */
function treeOf(spans: readonly CollectedSpan[]): string[] {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return spans.map(({ name, parentSpanId }) => `${names.get(parentSpanId) ?? parentSpanId} > ${name}`).sort();
}

async function post(api: Awaited<ReturnType<typeof openTestApi>>, body: object, headers = {}) {
  const response = await api.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return response.json();
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';

test('a report is followed from its request to the bucket and the index, in the trace that the request names', async () => {
  vi.stubEnv('OTEL_SERVICE_NAME', 'inventory');
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment.name=test');
  const { collector, tracing } = await openTraced();
  const api = await openTestApi({ tracing });
  await post(
    api,
    { query: submitMutation, variables: { input: input(1) } },
    { traceparent: `00-${traceId}-${parentId}-01` },
  );
  await api.close();
  await tracing.close();

  const spans = collector.spans();
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect(treeOf(spans)).toEqual([
    'POST /graphql > mutation submitReport',
    `${parentId} > POST /graphql`,
    'log.append > log.commit',
    'log.commit > bucket.put',
    'log.commit > index.apply',
    'mutation submitReport > index.reportsById',
    'mutation submitReport > log.append',
  ]);
  const find = (wanted: string) => spans.find(({ name }) => name === wanted);
  expect(find('POST /graphql')).toMatchObject({
    isError: false,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
    },
    resource: {
      'service.name': 'inventory',
      'deployment.environment.name': 'test',
      'telemetry.sdk.language': 'nodejs',
    },
  });
  expect(find('bucket.put')?.attributes).toEqual({
    'os_inspector.bucket.key': expect.stringMatching(/^reports\/date=/),
    'os_inspector.bucket.bytes': expect.any(Number),
  });
});

test('questions of a query are its parts, with its fields by the names of the schema', async () => {
  const { collector, tracing } = await openTraced();
  const api = await openTestApi({ tracing });
  const query = '{ mine: hosts { nodes { id } } ...More } fragment More on Query { reports { totalCount } }';
  await post(api, { query });
  await api.fetch('/export/hosts.csv').then((response) => response.text());
  await api.close();
  await tracing.close();

  expect(treeOf(collector.spans())).toEqual([
    ' > GET /export/hosts.csv',
    ' > POST /graphql',
    'GET /export/hosts.csv > index.hosts',
    'POST /graphql > query',
    'query > index.countReports',
    'query > index.hosts',
    'query > index.reports',
  ]);
  expect(collector.spans().find(({ name }) => name === 'query')?.attributes).toEqual({
    'graphql.operation.type': 'query',
    'os_inspector.graphql.root_fields': ['hosts', 'reports'],
  });
});

test('a segment of several reports is in the trace of the first, and linked with the others', async () => {
  const { collector, tracing } = await openTraced();
  const onSegment = async () => {};
  const log = tracedLog(tracing, { bucket: tracedBucket(tracing, memoryBucket()), onSegment }, openLog);
  const submit = (name: string) => tracing.request(new Headers(), name, {}, () => log.append(storedReport()));
  await Promise.all([submit('first'), submit('second'), log.append(storedReport())]);
  await tracing.close();

  const spans = collector.spans();
  const first = await collector.traceWith('first');
  const second = await collector.traceWith('second');
  expect(treeOf(first)).toEqual([
    ' > first',
    'first > log.append',
    'log.append > log.commit',
    'log.commit > bucket.put',
    'log.commit > index.apply',
  ]);
  expect(treeOf(second)).toEqual([' > second', 'second > log.append']);
  const commit = spans.find(({ name }) => name === 'log.commit');
  const waiting = second.find(({ name }) => name === 'log.append');
  expect(commit).toMatchObject({ attributes: { 'os_inspector.log.reports': 3 }, links: [waiting?.spanId] });
  expect(waiting?.links).toEqual([commit?.spanId]);
});

test('what fails is marked, with the kind of error and not its text', async () => {
  const { collector, tracing } = await openTraced();
  const fail = async () => {
    throw new Failure('UNAVAILABLE', 'cannot put at storage.internal.example');
  };
  const wrapBucket = (bucket: Bucket) => ({ ...bucket, put: fail });
  const api = await openTestApi({ tracing, wrapBucket });
  await post(api, { query: submitMutation, variables: { input: input(1) } });
  await api.close();
  await tracing.close();

  const failed = collector.spans().filter(({ isError }) => isError);
  expect(failed.map(({ name, attributes }) => [name, attributes['error.type']]).sort()).toEqual([
    ['POST /graphql', 'UNAVAILABLE'],
    ['bucket.put', 'UNAVAILABLE'],
    ['log.append', 'UNAVAILABLE'],
  ]);
  expect(failed.find(({ name }) => name === 'POST /graphql')?.attributes).toMatchObject({
    'os_inspector.graphql.error_codes': ['UNAVAILABLE'],
  });
  expect(collector.received()).not.toContain('storage.internal');
});

test('a list is a part from its beginning to its end, however it ends', async () => {
  const { collector, tracing } = await openTraced();
  const bucket = memoryBucket();
  await bucket.put('a/1', Buffer.from('1'));
  await bucket.put('a/2', Buffer.from('2'));
  const broken: Bucket = {
    ...bucket,
    async *list(options) {
      for await (const object of bucket.list({ ...options, limit: 1 })) yield object;
      throw new Failure('UNAVAILABLE', 'cannot list');
    },
  };
  const listed: string[] = [];
  await tracing.request(new Headers(), 'whole', {}, async () => {
    for await (const { key } of tracedBucket(tracing, bucket).list({ prefix: 'a/' })) listed.push(key);
  });
  await tracing.request(new Headers(), 'left', {}, async () => {
    for await (const { key } of tracedBucket(tracing, bucket).list({ prefix: 'a/' })) {
      listed.push(key);
      break;
    }
  });
  const failing = tracing.request(new Headers(), 'failing', {}, async () => {
    for await (const { key } of tracedBucket(tracing, broken).list()) listed.push(key);
  });
  await expect(failing).rejects.toThrow('cannot list');
  await tracing.close();
  expect(listed).toEqual(['a/1', 'a/2', 'a/1', 'a/1']);
  const lists = collector.spans().filter(({ name }) => name === 'bucket.list');
  expect(lists.map(({ isError, attributes }) => [isError, attributes['os_inspector.bucket.prefix']])).toEqual(
    [
      [false, 'a/'],
      [false, 'a/'],
      [true, ''],
    ],
  );
});

test.each([
  ['a caller that keeps no trace', everyRequest, '00'],
  ['a sampler that takes none', { sampler: 'always_off', ratio: 1 }, '01'],
  ['a share of none', { sampler: 'traceidratio', ratio: 0 }, '01'],
] as const)('nothing is sent for %s', async (_, settings, flags) => {
  const { collector, tracing } = await openTraced({ settings });
  const api = await openTestApi({ tracing });
  const traceparent = `00-${traceId}-${parentId}-${flags}`;
  const answer = await post(api, { query: submitMutation, variables: { input: input(1) } }, { traceparent });
  expect(answer).toMatchObject({ data: { submitReport: { duplicate: false } } });
  await api.close();
  await tracing.close();
  expect(collector.spans()).toEqual([]);
});

test('no text that a client chose is in a trace, nor are credentials', async () => {
  const { collector, tracing } = await openTraced();
  const api = await openTestApi({ tracing });
  const planted = { authorization: 'Bearer osi_t_planted', cookie: 'planted', 'x-planted': 'planted' };
  const query = `query planted($planted: UUID!) { planted: host(id: $planted) { name } __typename @include(if: true) }`;
  await post(api, { query, variables: { planted: hostId(1) }, operationName: 'planted' }, planted);
  await post(api, { query: '{ planted(planted: "planted") }' }, planted);
  await api.fetch('/planted?token=planted', { headers: planted });
  await api.fetch('/report?ip=planted', { headers: planted });
  await api.fetch('/report', { method: 'PLANTED' });
  const report = { ...input(1), host: { ...input(1).host, name: 'planted' } };
  await post(api, { query: submitMutation, variables: { input: report } }, planted);
  await api.close();
  await tracing.close();
  expect(collector.spans().filter(({ parentSpanId }) => parentSpanId === '')).toHaveLength(6);
  expect(collector.received()).not.toMatch(/planted/i);
});

test('what asks whether the API is well, and what it does by itself, are in no trace', async () => {
  const { collector, tracing } = await openTraced();
  const api = await openTestApi({ tracing });
  for (const path of ['/health', '/ready']) expect((await api.fetch(path)).status).toBe(200);
  await api.close();
  await tracing.close();
  expect(collector.spans()).toEqual([]);
});

test('an API whose collector fails answers all the same, and says so once', async () => {
  const { logger, lines } = apiLog();
  const { collector, tracing } = await openTraced({ logger });
  // One that the exporter does not try again.
  collector.answerWith(400);
  const begin = () => tracing.request(new Headers(), 'asked', {}, async () => {});
  const messages = () => lines().map(({ msg }) => msg);
  await begin();
  await tracing.flush();
  await begin();
  await tracing.flush();
  expect(messages()).toEqual(['traces cannot be sent, and are dropped']);
  collector.answerWith(200);
  await begin();
  await tracing.flush();
  await eventually('that they are sent again', () => messages().at(-1) === 'traces are sent again');
  expect(messages()).toHaveLength(2);
  await tracing.close();
});

test('what is logged of sending traces is of no request', async () => {
  const asked = new AsyncLocalStorage<string>();
  const written: string[] = [];
  const fields = () => ({ asked: asked.getStore() ?? 'nobody' });
  const logger = openApiLog('info', { fields, to: { write: (line) => void written.push(line) } });
  const { collector, tracing } = await openTraced({ logger });
  collector.answerWith(400);
  await asked.run('somebody', async () => {
    await tracing.request(new Headers(), 'asked', {}, async () => {});
    await tracing.flush();
  });
  await tracing.close();
  expect(written.map((line) => JSON.parse(line).asked)).toEqual(['nobody']);
});

test('a collector that is not there does not keep an API that stops', async () => {
  const { logger, lines } = apiLog();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:1');
  const tracing = openTracing({ settings: everyRequest, logger });
  await tracing.request(new Headers(), 'asked', {}, async () => {});
  await tracing.close();
  expect(lines().map(({ msg }) => msg)).toContain('the last traces could not be sent');
});
