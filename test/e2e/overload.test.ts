/** Past what the API can do it refuses, answers what it took, loses nothing, and is itself again afterwards. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Bucket } from '../../api/bucket/bucket.ts';
import { type Answer, openTestApi, submitMutation, type TestApi } from '../support/api.ts';
import { ask, reportIdsOf, startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { hostId, result } from '../support/reports.ts';
import { startSenders } from '../support/senders.ts';
import { readStoredIn } from '../support/stored.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const maxInFlight = 10;

/** An API whose bucket takes nothing until it is let. */
async function openHeldApi() {
  const letting = Promise.withResolvers<void>();
  const wrapBucket = (bucket: Bucket): Bucket => ({
    ...bucket,
    async put(key, body) {
      await letting.promise;
      await bucket.put(key, body);
    },
  });
  const api = await openTestApi({ wrapBucket, maxInFlight });
  return { ...(await listen(api)), folder: api.folder, letIn: letting.resolve };
}

async function listen(api: TestApi) {
  const http = createServer(api.listener);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(() => resolve()));
  });
  const { port } = http.address() as AddressInfo;
  return { port, origin: `http://127.0.0.1:${port}` };
}

const inputs = (count: number) =>
  Array.from({ length: count }, (_, number) => ({
    id: `0198f3a0-0000-7000-9000-${String(number).padStart(12, '0')}`,
    host: { id: hostId(number), name: `web-${number}` },
    collectedAt: '2026-05-01T12:00:00Z',
    results: [result('os', { kernel: '6.1' })],
  }));

type Told = { status: number; retryAfter: string | null; answer: Answer };

async function post(origin: string, body: object, headers: Record<string, string> = {}): Promise<Told> {
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const { status } = response;
  return {
    status,
    retryAfter: response.headers.get('retry-after'),
    answer: (await response.json()) as Answer,
  };
}

const submit = (origin: string, input: object) =>
  post(origin, { query: submitMutation, variables: { input } });

function expectBusy({ status, retryAfter, answer }: Told): void {
  expect(status).toBe(503);
  expect(answer.errors).toEqual([
    {
      message: 'the API is busy: nothing was stored, send it again later',
      extensions: { code: 'UNAVAILABLE', retryAfter: Number(retryAfter) },
    },
  ]);
  expect(Number(retryAfter)).toBeGreaterThanOrEqual(5);
  expect(Number(retryAfter)).toBeLessThanOrEqual(15);
}

test('as many requests as may be are worked on; the others are refused, and taken when they come again', async () => {
  const { origin, folder, letIn } = await openHeldApi();
  const all = inputs(40);
  const told: Told[] = [];
  const sent = all.map((input) =>
    submit(origin, input).then((one) => {
      told.push(one);
      return one;
    }),
  );
  // Those that are taken wait for the bucket: these are all that can be answered.
  await eventually('all others are refused', () => told.length === all.length - maxInFlight);
  for (const one of told) expectBusy(one);
  // At different times: whoever is refused together is not to come back together.
  expect(new Set(told.map(({ retryAfter }) => retryAfter)).size).toBeGreaterThan(1);
  expectBusy(await post(origin, { query: '{ __typename }' }));
  for (const path of ['/report?ip=192.0.2.1', '/export/hosts.ndjson']) {
    const response = await fetch(`${origin}${path}`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'error', error: expect.stringContaining('busy') });
  }
  for (const path of ['/health', '/ready']) expect((await fetch(`${origin}${path}`)).status).toBe(200);

  letIn();
  const answers = await Promise.all(sent);
  const refused = all.filter((_, index) => answers[index]?.status === 503);
  expect(answers.filter(({ answer }) => answer.data?.submitReport.duplicate === false)).toHaveLength(
    maxInFlight,
  );
  // One after another, as they come back apart.
  for (const input of refused) {
    expect((await submit(origin, input)).answer).toMatchObject({
      data: { submitReport: { duplicate: false } },
    });
  }
  expect([...(await readStoredIn(`${folder}/bucket`)).keys()].sort()).toEqual(all.map(({ id }) => id));
});

test('who sends slowly, or listens to events, keeps nobody out', async () => {
  const { origin, port, letIn } = await openHeldApi();
  letIn();
  const slow = await Promise.all(Array.from({ length: 2 * maxInFlight }, () => sendHalf(port)));
  const listening = new AbortController();
  onTestFinished(() => listening.abort());
  for (let number = 0; number < 2 * maxInFlight; number += 1) {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const body = JSON.stringify({ query: 'subscription { reportSubmitted { id } }' });
    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers,
      body,
      signal: listening.signal,
    });
    expect(response.status).toBe(200);
  }
  expect((await submit(origin, inputs(1)[0] as object)).status).toBe(200);
  // Once their bodies are here they are answered as any other.
  for (const { finish } of slow) expect(await finish()).toMatch(/^HTTP\/1\.1 200 .*"__typename":"Query"/s);
});

/** Half of a request, and how to send the other. */
async function sendHalf(port: number): Promise<{ socket: Socket; finish(): Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const body = '{"query":"{ __typename }"}';
  const head = `POST /graphql HTTP/1.1\r\nhost: api.test\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  socket.write(`${head}\r\n${body.slice(0, 10)}`);
  return {
    socket,
    async finish() {
      socket.write(body.slice(10));
      let text = '';
      for await (const chunk of socket) {
        text += chunk;
        if (text.includes('"__typename"') || text.includes('busy')) break;
      }
      return text;
    },
  };
}

test('a real process under many times of what it may work on: nothing acknowledged is lost', {
  timeout: 180_000,
}, async () => {
  const folder = await temporaryFolder();
  const { url, child, exit } = await startApi(folder, { env: { MAX_IN_FLIGHT: String(maxInFlight) } });
  const senders = startSenders({ count: 20 * maxInFlight, padding: 2_000 }, url);
  await eventually('many were refused, and many taken all the same', () => {
    return (senders.failed.get('UNAVAILABLE') ?? 0) > 1_000 && senders.acknowledged.size > 200;
  });
  expect(await (await fetch(new URL('/health', url))).json()).toEqual({ health: 'ok' });
  await senders.stop();
  expect([...senders.failed.keys()]).toEqual(['UNAVAILABLE']);
  // It answers at once again, and has all of it.
  expect(await ask(url, '{ __typename }')).toEqual({ __typename: 'Query' });
  const stored = await readStoredIn(`${folder}/bucket`);
  expect([...senders.acknowledged].filter((id) => !stored.has(id))).toEqual([]);
  await eventually('the index has all of them', async () => {
    const listed = new Set(await reportIdsOf(url));
    return [...senders.acknowledged].every((id) => listed.has(id));
  });
  child.kill('SIGTERM');
  expect((await exit).code).toBe(0);
});
