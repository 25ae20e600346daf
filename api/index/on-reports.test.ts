/** What comes into an index is told at once: in this process, and with PostgreSQL in any other. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { whenFileIsDone } from '../../test/support/cleanup.ts';
import { eventually } from '../../test/support/eventually.ts';
import { describeIf } from '../../test/support/needs.ts';
import { hasPostgres, postgresNeeded, runSql, startPostgres } from '../../test/support/postgres.ts';
import { result, storedReport } from '../../test/support/reports.ts';
import { startTcpProxy } from '../../test/support/tcp-proxy.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { segmentKey } from '../log/segment-key.ts';
import type { StoredReport } from '../log/stored-report.ts';
import type { IndexStore } from './index-store.ts';
import { openPostgresIndex } from './postgres-index.ts';
import { fromPayload, makePostgresListener, toPayloads } from './postgres-listener.ts';
import { openSqliteIndex } from './sqlite-index.ts';

const plugins = await loadBuiltinPlugins();
const bucket = 'file:/srv/bucket';
const now = () => new Date().toISOString();
const fresh = (): StoredReport =>
  storedReport({ receivedAt: now(), collectedAt: now(), results: [result('os', { kernel: '6.1' })] });
const apply = (index: IndexStore, reports: StoredReport[]) =>
  index.apply([{ key: segmentKey(reports), reports }]);

/** @param open gives the index that takes reports, and the one that is listened to */
function describeNews(open: () => Promise<{ taking: IndexStore; listening: IndexStore }>): void {
  test('tells each report once, and no history', async () => {
    const { taking, listening } = await open();
    const told: string[] = [];
    const stop = await listening.onReports((ids) => told.push(...ids));
    const old = storedReport();
    const reports = Array.from({ length: 800 }, fresh);
    await apply(taking, [old]);
    await apply(taking, reports);
    // Again, as a resend that another process took.
    await apply(taking, [...reports.slice(0, 5), fresh()]);
    await eventually('all are told', () => told.length > reports.length);
    expect(new Set(told).size).toBe(told.length);
    expect(told.slice(0, -1).toSorted()).toEqual(reports.map(({ id }) => id).toSorted());
    await stop();
    await stop();
    const last: string[] = [];
    const stopLast = await listening.onReports((ids) => last.push(...ids));
    await apply(taking, [fresh()]);
    await eventually('the last is told', () => last.length === 1);
    expect(told).toHaveLength(reports.length + 1);
    await stopLast();
  });
}

describe('SQLite', () => {
  describeNews(async () => {
    const index = await openSqliteIndex({ file: join(await temporaryFolder(), 'index.db'), bucket, plugins });
    whenFileIsDone(() => index.close());
    return { taking: index, listening: index };
  });
});

describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL', async () => {
  const server = await startPostgres();
  const openTwo = async () => {
    const url = await server.createDatabase();
    const [taking, listening] = await Promise.all([
      openPostgresIndex({ url, bucket, plugins }),
      openPostgresIndex({ url, bucket, plugins }),
    ]);
    whenFileIsDone(() => Promise.all([taking.close(), listening.close()]));
    return { url, taking, listening };
  };
  const listeners = async (url: string) =>
    runSql(url, `SELECT pid FROM pg_stat_activity WHERE application_name = 'os-inspector live'`);

  describe('through another process', () => describeNews(openTwo));

  test('one connection for all who listen, which goes with the last of them', async () => {
    const { url, listening } = await openTwo();
    const stops = await Promise.all([1, 2, 3].map(() => listening.onReports(() => {})));
    expect(await listeners(url)).toHaveLength(1);
    for (const stop of stops) await stop();
    await eventually('nobody listens', async () => (await listeners(url)).length === 0);
  });

  test('a connection that is lost is made anew, and what came in meanwhile is told', async () => {
    const { url, taking, listening } = await openTwo();
    const told: string[] = [];
    const stop = await listening.onReports((ids) => told.push(...ids));
    const before = fresh();
    await apply(taking, [before]);
    await eventually('the first is told', () => told.length === 1);
    const [first] = await listeners(url);
    await runSql(url, `SELECT pg_terminate_backend(${first?.pid})`);
    const meanwhile = fresh();
    await apply(taking, [meanwhile]);
    await eventually('the second is told', () => told.length === 2);
    const [second] = await listeners(url);
    expect(second?.pid).not.toBe(first?.pid);
    const after = fresh();
    await apply(taking, [after]);
    await eventually('the third is told', () => told.length === 3);
    expect(told).toEqual([before.id, meanwhile.id, after.id]);
    await stop();
  });

  test('however many came in while it was lost, all of them are told, once', async () => {
    const url = await server.createDatabase();
    const network = await startTcpProxy(url);
    const taking = await openPostgresIndex({ url, bucket, plugins });
    const listening = await openPostgresIndex({ url: network.url, bucket, plugins });
    whenFileIsDone(() => Promise.all([taking.close(), listening.close()]));
    const told: string[] = [];
    const stop = await listening.onReports((ids) => told.push(...ids));
    const reports = Array.from({ length: 12_000 }, fresh);
    await apply(taking, reports.slice(0, 500));
    await eventually('the first are told', () => told.length === 500);
    network.cut();
    await eventually('nobody listens', async () => (await listeners(url)).length === 0);
    for (let from = 500; from < reports.length; from += 2_300)
      await apply(taking, reports.slice(from, from + 2_300));
    network.mend();
    await eventually('all are told', () => told.length >= reports.length);
    const last = fresh();
    await apply(taking, [last]);
    await eventually('the last is told', () => told.at(-1) === last.id);
    expect(told.toSorted()).toEqual([...reports, last].map(({ id }) => id).toSorted());
    await stop();
  });

  test('a network that swallows everything is noticed, and what came in meanwhile is asked for until it is told', async () => {
    const url = await server.createDatabase();
    const network = await startTcpProxy(url);
    const [lost, ...missed] = Array.from({ length: 3 }, () => crypto.randomUUID());
    const asked: number[] = [];
    const listener = makePostgresListener({
      url: network.url,
      channel: 'test_reports',
      checkEveryMs: 200,
      onConnectionError: () => {},
      async *receivedSince(at) {
        asked.push(at);
        if (asked.length === 1) throw new Error('the server restarts');
        yield missed;
      },
    });
    const told: string[] = [];
    await listener.onReports((ids) => told.push(...ids));
    const startedAt = Date.now();
    network.swallow();
    const notify = (id = '') =>
      runSql(url, `SELECT pg_notify('test_reports', '${[...toPayloads([id])][0]}')`);
    await notify(lost);
    await eventually('what was missed is told', () => told.length > 0);
    expect(told).toEqual(missed);
    expect(asked).toHaveLength(2);
    // As long ago as it was last known to hear, and ten seconds more.
    for (const at of asked) expect(at).toBeLessThanOrEqual(startedAt - 10_000);
    await notify(missed[0]);
    const fresh = crypto.randomUUID();
    await notify(fresh);
    await eventually('it hears again', () => told.length === 3);
    expect(told).toEqual([...missed, fresh]);
    await listener.close();
  });

  test('closing while it connects leaves no connection', async () => {
    const url = await server.createDatabase();
    const listener = makePostgresListener({
      url,
      channel: 'test_reports',
      onConnectionError: () => {},
      receivedSince: async function* () {},
    });
    const listening = listener.onReports(() => {});
    await listener.close();
    await listening;
    await eventually('no connection is left', async () => (await listeners(url)).length === 0);
  });
});

test('ids as payloads: none longer than PostgreSQL takes', () => {
  const ids = Array.from({ length: 1_001 }, () => fresh().id);
  const payloads = [...toPayloads(ids)];
  expect(payloads.flatMap(fromPayload)).toEqual(ids);
  for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(8_000);
});
