/** How an API stops: it tells load balancers first, answers what it has taken, and ends in time whatever hangs. */

import { once } from 'node:events';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { submitMutation } from '../support/api.ts';
import { answerOf, readinessOf, startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { hostId } from '../support/reports.ts';
import { bucketUrl } from '../support/s3-servers.ts';
import { listOf, startStubS3 } from '../support/stub-s3.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const input = { host: { id: hostId(1), name: 'web-1' }, collectedAt: '2026-05-01T10:00:00Z', results: [] };

/** An API on a bucket that takes what is put only when it is told to. */
async function startOnSlowBucket(env: Record<string, string>) {
  const waiting: (() => void)[] = [];
  const server = await startStubS3({
    get: (_request, response) => response.end(listOf([])),
    put: (_request, response) => waiting.push(() => response.setHeader('etag', '"x"').end()),
  });
  const stores = { ...server.credentials, BUCKET_URL: bucketUrl(server, 'fleet') };
  const api = await startApi(await temporaryFolder(), { env: { ...stores, ...env } });
  return { api, waiting };
}

test('told to stop it is not ready, still answers, and acknowledges what it has taken', async () => {
  const { api, waiting } = await startOnSlowBucket({ STOP_DELAY: '2s' });
  const sent = answerOf(api.url, submitMutation, { input });
  await eventually('the report is on its way to the bucket', () => waiting.length === 1);
  api.child.kill('SIGTERM');
  await api.waitFor(/"msg":"stopping"/);
  expect(await readinessOf(api.url)).toEqual([
    503,
    expect.objectContaining({ ready: false, parts: { process: 'is stopping' } }),
  ]);
  expect((await fetch(new URL('/health', api.url))).status).toBe(200);
  expect(await api.ask('{ __typename }')).toEqual({ __typename: 'Query' });
  for (const confirm of waiting) confirm();
  expect(await sent).toMatchObject({ data: { submitReport: { duplicate: false } } });
  expect(await api.exit).toMatchObject({ code: 0 });
});

test('what hangs does not keep it: it has ended in time, and acknowledged nothing', async () => {
  const { api, waiting } = await startOnSlowBucket({ STOP_TIMEOUT: '1s' });
  const sent = answerOf(api.url, submitMutation, { input }).catch(() => 'cut off');
  await eventually('the report is on its way to the bucket', () => waiting.length === 1);
  api.child.kill('SIGTERM');
  expect(await api.exit).toMatchObject({ code: 1 });
  expect(api.output()).toMatch(/could not stop in time/);
  expect(await sent).toBe('cut off');
});

test('a second signal ends it at once', async () => {
  const { api, waiting } = await startOnSlowBucket({ STOP_TIMEOUT: '1h' });
  const sent = answerOf(api.url, submitMutation, { input }).catch(() => 'cut off');
  await eventually('the report is on its way to the bucket', () => waiting.length === 1);
  api.child.kill('SIGTERM');
  await api.waitFor(/"msg":"stopping"/);
  // One right after the first may be the same, passed on by a parent process.
  const again = setInterval(() => api.child.kill('SIGTERM'), 200);
  expect(await api.exit).toMatchObject({ code: 1 });
  clearInterval(again);
  expect(await sent).toBe('cut off');
});

test('no secret is in what it writes, whatever it is shown and whatever fails', async () => {
  const planted = 'planted5ecret';
  const server = await startStubS3({
    get: (_request, response) => response.end(listOf([])),
    put: (_request, response) => response.writeHead(500).end('<Error><Code>InternalError</Code></Error>'),
  });
  const env = {
    ...server.credentials,
    AWS_SECRET_ACCESS_KEY: planted,
    BUCKET_URL: bucketUrl(server, 'fleet'),
    LOG_LEVEL: 'debug',
    AUTH: 'required',
  };
  const api = await startApi(await temporaryFolder(), { env });
  const answers: string[] = [];
  for (const [path, headers] of [
    [`/graphql?token=${planted}`, { authorization: `Bearer ${planted}` }],
    [`/export/${planted}`, { authorization: `Basic ${Buffer.from(`x:${planted}`).toString('base64')}` }],
    ['/graphql', { authorization: `Bearer osi_t_${planted.padEnd(43, 'x')}`, cookie: planted }],
    ['/graphql', { authorization: `Bearer ${planted}.${planted}.${planted}`, 'x-api-key': planted }],
  ] as const) {
    const sent = request(new URL(path, api.url), { headers, method: 'POST' }).end(
      '{"query":"{ __typename }"}',
    );
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(401);
    for await (const chunk of response) answers.push(String(chunk));
  }
  await expect(answerOf(api.url, submitMutation, { input })).resolves.toMatchObject({
    errors: expect.anything(),
  });
  api.child.kill('SIGTERM');
  await api.exit;
  expect(api.output()).toMatch(/auth\.refused/);
  expect(api.output()).not.toContain(planted);
  expect(answers.join('\n')).not.toContain(planted);
});
