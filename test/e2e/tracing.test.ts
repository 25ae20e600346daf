import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startApi } from '../support/api-process.ts';
import { repository } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openTraceCollector } from '../support/trace-collector.ts';

/** Prints each module as it is loaded. */
const listing = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  registerHooks({
    load(url, context, next) {
      writeSync(2, 'loaded ' + url + '\\n');
      return next(url, context);
    },
  });
`)}`;

async function startListed(env: Record<string, string>) {
  const api = await startApi(await temporaryFolder(), {
    env: { NODE_OPTIONS: `--import "${listing}"`, ...env },
  });
  await api.ask('{ hosts { totalCount } }');
  const loaded = [...api.output().matchAll(/^loaded (.*)$/gm)].map(([, url = '']) => url);
  return { api, loaded };
}

const sdk = /@opentelemetry\/(?!api\/)|open-tracing/;

test('without a collector nothing of OpenTelemetry is loaded', async () => {
  const { loaded } = await startListed({ OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_SERVICE_NAME: 'inventory' });
  expect(loaded).toContain(`file://${join(repository, 'api/server.ts')}`);
  expect(loaded.filter((url) => sdk.test(url))).toEqual([]);
});

test('with one it is, and what was not sent yet is sent as the API stops', async () => {
  const collector = await openTraceCollector();
  const { api, loaded } = await startListed({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  expect(loaded.filter((url) => sdk.test(url))).not.toEqual([]);
  api.child.kill('SIGTERM');
  expect(await api.exit).toMatchObject({ code: 0 });
  expect(collector.spans()).toContainEqual(
    expect.objectContaining({
      name: 'query hosts',
      resource: expect.objectContaining({ 'service.name': 'os-inspector-api' }),
    }),
  );
});

test('lines of the log name the trace of the request that they are of', async () => {
  const collector = await openTraceCollector();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, AUTH: 'required' };
  const api = await startApi(await temporaryFolder(), { env });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const headers = {
    authorization: 'Bearer osi_t_wrong',
    traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    'x-request-id': 'as-a-proxy-calls-it',
  };
  expect((await fetch(api.url, { headers })).status).toBe(401);
  const [line = ''] = await api.waitFor(/^.*"event":"auth.refused".*$/m);
  api.child.kill('SIGTERM');
  await api.exit;
  const [request] = await collector.traceWith('GET /graphql', traceId);
  expect(JSON.parse(line)).toMatchObject({ trace_id: traceId });
  expect(collector.spans().map(({ spanId }) => spanId)).toContain(JSON.parse(line).span_id);
  expect(request).toMatchObject({
    attributes: {
      'http.response.status_code': 401,
      'os_inspector.request.id': 'as-a-proxy-calls-it',
    },
  });
});

test('an endpoint that is none stops the start, and is not repeated', async () => {
  const starting = startApi(await temporaryFolder(), {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:secret@4318' },
  });
  const { message } = await starting.then(
    () => new Error('it started'),
    (cause: Error) => cause,
  );
  expect(message).toContain('OTEL_EXPORTER_OTLP_ENDPOINT: must be the address of a collector');
  expect(message).not.toContain('secret');
});
