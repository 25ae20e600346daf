/** live: subscriptions over real sockets to real processes, whatever subscribers and databases do. */
import { describe, expect, test } from 'vitest';
import { submitMutation } from '../support/api.ts';
import { type ApiProcess, startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { describeIf } from '../support/needs.ts';
import { hasPostgres, postgresNeeded, runSql, startPostgres } from '../support/postgres.ts';
import { hostId, result, storedReport } from '../support/reports.ts';
import { type SseClient, subscribe } from '../support/sse.ts';
import { putAsDead } from '../support/stored.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const slow = { timeout: 180_000 };
const minuteMs = 60_000;
const reports =
  'subscription ($f: ReportFilter) { reportSubmitted(filter: $f) { id host { name } os { kernel } } }';
const changes =
  'subscription ($f: ChangeFilter) { factsChanged(filter: $f) { path before after report { id } host { name } } }';

type Sent = { host?: number; kernel?: string; minutesAgo?: number; note?: string };

const inputOf = ({ host = 1, kernel = '6.1.0', minutesAgo = 0, note = '' }: Sent) => ({
  id: crypto.randomUUID(),
  host: { id: hostId(host), name: `web-${host}` },
  collectedAt: new Date(Date.now() - minutesAgo * minuteMs).toISOString(),
  results: [result('os', { kernel, distribution: note })],
});

/** @returns its id */
async function submit({ ask }: ApiProcess, sent: Sent = {}): Promise<string> {
  const input = inputOf(sent);
  await ask(submitMutation, { input });
  return input.id;
}

const idsOf = ({ answers }: SseClient): string[] => answers.map(({ data }) => data.reportSubmitted.id);
const changesOf = ({ answers }: SseClient) =>
  answers.map(({ data: { factsChanged } }) => [factsChanged.before, factsChanged.after]);

async function stop(api: ApiProcess): Promise<void> {
  api.child.kill('SIGTERM');
  expect((await api.exit).code).toBe(0);
}

/** Received now, by an API that is not there any more. */
const fromElsewhere = () => {
  const now = new Date().toISOString();
  return storedReport({ collectedAt: now, receivedAt: now, results: [result('os', { kernel: '6.1.0' })] });
};

describe.concurrent('live', slow, () => {
  test('reports as they come in, each once, and only those that pass', async () => {
    const api = await startApi(await temporaryFolder());
    const all = await subscribe(api.url, reports);
    const some = await subscribe(api.url, reports, { f: { os: { kernel: { lt: '6.1.90' } } } });
    expect([all.status, all.contentType]).toEqual([200, 'text/event-stream']);
    const old = await submit(api, { kernel: '6.1.9' });
    const input = inputOf({ host: 2, kernel: '6.1.100' });
    for (const duplicate of [false, true]) {
      expect((await api.ask(submitMutation, { input })).submitReport.duplicate).toBe(duplicate);
    }
    const last = await submit(api, { host: 3, kernel: '5.15.0' });
    await eventually('the last is told', () => idsOf(some).includes(last) && idsOf(all).includes(last));
    expect(idsOf(all)).toEqual([old, input.id, last]);
    expect(idsOf(some)).toEqual([old, last]);
    expect(all.answers[1]?.data.reportSubmitted).toMatchObject({
      host: { name: 'web-2' },
      os: { kernel: '6.1.100' },
    });
    await stop(api);
    for (const client of [all, some]) expect(await client.ended).toBe('complete');
  });

  test('changes as they come in: of a late report its own, and nothing again that was told before', async () => {
    const api = await startApi(await temporaryFolder());
    const client = await subscribe(api.url, changes, { f: { path: 'os.kernel' } });
    const first = await subscribe(api.url, changes, { f: { initial: true, plugin: 'os' } });
    const told = async (...expected: string[][]) => {
      await eventually('all are told', () => changesOf(client).length >= expected.length);
      expect(changesOf(client)).toEqual(expected);
    };
    await submit(api, { kernel: '6.1.0', minutesAgo: 30 });
    await submit(api, { kernel: '6.2.0', minutesAgo: 10 });
    await told(['6.1.0', '6.2.0']);
    // Between the two: what the second told is a change from this now, which is not told once more.
    const late = await submit(api, { kernel: '6.1.5', minutesAgo: 20 });
    await told(['6.1.0', '6.2.0'], ['6.1.0', '6.1.5']);
    // As its host told already by then.
    await submit(api, { kernel: '6.1.5', minutesAgo: 15 });
    const resent = inputOf({ kernel: '6.3.0' });
    for (let time = 0; time < 2; time += 1) await api.ask(submitMutation, { input: resent });
    await submit(api, { kernel: '6.4.0' });
    await told(['6.1.0', '6.2.0'], ['6.1.0', '6.1.5'], ['6.2.0', '6.3.0'], ['6.3.0', '6.4.0']);
    expect(client.answers[1]?.data.factsChanged).toMatchObject({
      path: 'os.kernel',
      report: { id: late },
      host: { name: 'web-1' },
    });
    expect(first.answers[0]?.data.factsChanged).toMatchObject({ path: 'os', before: null });
    await stop(api);
  });

  test('what catch-up brings of another API is told as well', async () => {
    const folder = await temporaryFolder();
    const api = await startApi(folder);
    const client = await subscribe(api.url, reports);
    const report = fromElsewhere();
    await putAsDead(`${folder}/bucket`, [report]);
    await eventually('it is told', () => idsOf(client).includes(report.id), { withinMs: 90_000 });
    expect(idsOf(client)).toEqual([report.id]);
    await stop(api);
  });

  test('what cannot be subscribed to is refused, and where it is wrong', async () => {
    const api = await startApi(await temporaryFolder());
    const reversed = '{ start: "2026-05-02T00:00:00Z", end: "2026-05-01T00:00:00Z" }';
    for (const [selection, path] of [
      ['reportSubmitted(filter: { host: { eq: "me" } }) { id }', ['filter', 'host', 'eq']],
      ['reportSubmitted(filter: { fact: { path: "os.kernal" } }) { id }', ['filter', 'fact', 'path']],
      ['factsChanged(filter: { path: "os.kernal" }) { path }', ['filter', 'path']],
      [`factsChanged(filter: { between: ${reversed} }) { path }`, ['filter', 'between']],
    ] as const) {
      const client = await subscribe(api.url, `subscription { ${selection} }`);
      expect(await client.ended).toBe('complete');
      expect(client.answers).toHaveLength(1);
      expect(client.answers[0]?.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
    }
    await stop(api);
  });

  test('who stops reading is ended, and costs nobody anything', async () => {
    const api = await startApi(await temporaryFolder());
    // More than sockets hold by themselves.
    const query = 'subscription { reportSubmitted { id facts(plugin: "os") } }';
    const [reader, sleeper] = [await subscribe(api.url, query), await subscribe(api.url, query)];
    const other = await subscribe(api.url, reports, { f: { host: { eq: hostId(7) } } });
    sleeper.stopReading();
    const sent: string[] = [];
    const note = 'n'.repeat(20_000);
    for (let round = 0; round < 20; round += 1) {
      const submitted = await Promise.all(
        Array.from({ length: 100 }, (_, host) => submit(api, { host, note: `${round} ${note}` })),
      );
      sent.push(...submitted);
      await eventually('who reads is told', () => idsOf(reader).length === sent.length);
      await eventually('who asks for less as well', () => other.answers.length === round + 1);
    }
    expect(idsOf(reader).toSorted()).toEqual(sent.toSorted());
    sleeper.read();
    expect(await sleeper.ended).toBe('complete');
    expect(sleeper.answers.at(-1)?.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/^\d+ rows wait to be read: subscribe again/),
      extensions: { code: 'SUBSCRIBER_TOO_SLOW' },
    });
    expect(sleeper.answers.length).toBeLessThan(sent.length);
    expect(api.output()).not.toMatch(/"level":[456]0/);
    await stop(api);
  });

  test('who goes without a word leaves its place to others; there is a bound on how many there are', async () => {
    const api = await startApi(await temporaryFolder());
    const clients: SseClient[] = [];
    for (let round = 0; round < 10; round += 1) {
      const more = Array.from({ length: 100 }, () =>
        subscribe(api.url, 'subscription { reportSubmitted { id } }'),
      );
      clients.push(...(await Promise.all(more)));
    }
    const refused = await subscribe(api.url, reports);
    expect(await refused.ended).toBe('complete');
    expect(refused.answers[0]?.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/there are 1000 subscriptions already/),
      extensions: { code: 'UNAVAILABLE', retryAfter: 30 },
    });
    for (const client of clients) client.vanish();
    const again: SseClient[] = [];
    await eventually(
      'all places are free again',
      async () => {
        const client = await subscribe(api.url, 'subscription { reportSubmitted { id } }');
        if ((await Promise.race([client.ended, submit(api)])) !== 'complete') again.push(client);
        return again.length === 100;
      },
      { everyMs: 1 },
    );
    const id = await submit(api);
    await eventually('all are told', () => again.every((client) => idsOf(client).includes(id)));
    await stop(api);
  });

  test('a stop ends them all, also one that does not read', async () => {
    const api = await startApi(await temporaryFolder());
    const query = 'subscription { reportSubmitted { id facts(plugin: "os") } }';
    const [idle, sleeper] = [await subscribe(api.url, changes), await subscribe(api.url, query)];
    sleeper.stopReading();
    const note = 'n'.repeat(100_000);
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, (_, host) => submit(api, { host, note: `${round} ${note}` })),
      );
    }
    await stop(api);
    expect(await idle.ended).toBe('complete');
    expect(api.output()).toContain('"msg":"stopped"');
  });
});

describeIf(hasPostgres(), postgresNeeded, 'live on PostgreSQL', async () => {
  const server = await startPostgres();
  const openTwo = async () => {
    const [folder, url] = [await temporaryFolder(), await server.createDatabase()];
    const env = { INDEX_URL: url };
    const [taking, listening] = await Promise.all([startApi(folder, { env }), startApi(folder, { env })]);
    return { folder, url, taking, listening };
  };
  const listeners = (url: string) =>
    runSql(
      url,
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'os-inspector live' AND datname = current_database()`,
    );

  test('what one process takes the other tells, and who vanishes leaves no connection', slow, async () => {
    const { url, taking, listening } = await openTwo();
    const client = await subscribe(listening.url, reports);
    const changed = await subscribe(listening.url, changes, { f: { path: 'os' } });
    const ids = [await submit(taking), await submit(taking, { kernel: '6.2.0' })];
    const input = inputOf({ kernel: '6.3.0' });
    for (const api of [taking, listening, taking]) await api.ask(submitMutation, { input });
    await eventually('all are told', () => idsOf(client).includes(input.id) && changed.answers.length === 2);
    expect(idsOf(client)).toEqual([...ids, input.id]);
    expect(changesOf(changed)).toEqual([
      ['6.1.0', '6.2.0'],
      ['6.2.0', '6.3.0'],
    ]);
    expect(await listeners(url)).toHaveLength(1);
    for (const each of [client, changed]) each.vanish();
    await eventually('nobody listens', async () => (await listeners(url)).length === 0);
    for (const api of [taking, listening]) await stop(api);
  });

  test('a connection that is ended, and a server that restarts, cost no event', slow, async () => {
    const { folder, url, taking, listening } = await openTwo();
    const client = await subscribe(listening.url, reports);
    const sent = [await submit(taking)];
    await eventually('the first is told', () => idsOf(client).length === 1);
    const [first] = await listeners(url);
    await runSql(url, `SELECT pg_terminate_backend(${first?.pid})`);
    for (let host = 0; host < 20; host += 1) sent.push(await submit(taking, { host }));
    await eventually('all are told', () => idsOf(client).length === sent.length);

    await server.stop();
    // Acknowledged, as they are in the bucket: the index has them when it is back.
    for (let host = 0; host < 5; host += 1) sent.push(await submit(taking, { host, kernel: '6.2.0' }));
    const elsewhere = fromElsewhere();
    await putAsDead(`${folder}/bucket`, [elsewhere]);
    sent.push(elsewhere.id);
    await server.restart();
    await eventually('all are told', () => idsOf(client).length >= sent.length, { withinMs: 120_000 });
    await eventually('it listens again', async () => (await listeners(url)).length === 1);
    sent.push(await submit(taking));
    await eventually('the last is told', () => idsOf(client).includes(sent.at(-1) ?? ''));
    expect(idsOf(client).toSorted()).toEqual(sent.toSorted());
    for (const api of [taking, listening]) await stop(api);
    expect(await client.ended).toBe('complete');
  });
});
