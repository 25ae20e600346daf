import { buildSchema } from 'graphql';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { pythonReport } from '../test/support/python-reports.ts';
import { openAdmission } from './auth/admission.ts';
import { openGate } from './auth/gate.ts';
import type { Services } from './context.ts';
import { Failure, type FailureOptions } from './failure.ts';
import { makeLimits } from './limits/limits.ts';
import { makeMetrics } from './operations/metrics.ts';
import { createServer, everything } from './server.ts';

/** A server whose stores are away. */
function serverFailing(options?: FailureOptions) {
  const fail = () => Promise.reject(new Failure('UNAVAILABLE', 'cannot reach secret-host', options));
  const schema = buildSchema('type Query { host: String }');
  const { host } = schema.getQueryType()?.getFields() ?? {};
  if (host) host.resolve = fail;
  const limits = makeLimits({ operationLimit: null, reportLimit: null, addressLimit: null });
  return createServer({
    schema,
    services: {
      intake: { submit: fail },
      admission: openAdmission({ index: { hostsById: fail } }),
      index: { reports: fail },
      limits,
      now: Date.now,
    } as unknown as Services,
    exports: { answer: fail, running: () => 0, close() {} },
    logger: pino({ enabled: false }),
    gate: openGate,
    offered: everything,
    checkReady: async () => ({ bucket: 'does not answer' }),
    metrics: makeMetrics(),
  });
}

const pythonReportText = JSON.stringify(pythonReport);

test.each([
  ['what the failure says, in whole seconds', { retryAfterSeconds: 2.2 }, 3],
  ['never at once', { retryAfterSeconds: 0 }, 1],
  ['as usual where it says nothing', undefined, 5],
])('a client is told when to try again: %s', async (_what, options, seconds) => {
  const server = serverFailing(options);
  const response = await server.fetch('http://api.test/graphql?query={host}');
  expect(response.status).toBe(200);
  const { errors } = await response.json();
  expect(errors).toMatchObject([
    { path: ['host'], extensions: { code: 'UNAVAILABLE', retryAfter: seconds } },
  ]);
  expect(JSON.stringify(errors)).not.toContain('secret');
  for (const [path, init] of [
    ['/report', { method: 'POST', headers: { 'content-type': 'application/json' }, body: pythonReportText }],
    ['/report?ip=192.0.2.20', {}],
  ] as const) {
    const { status, headers } = await server.fetch(`http://api.test${path}`, init);
    expect([path, status, headers.get('retry-after')]).toEqual([path, 503, String(seconds)]);
  }
});
