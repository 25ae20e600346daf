/** What exports give, in either dialect of the index: every row once, as it is stored, whatever arrives meanwhile. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { openTestApi } from '../../test/support/api.ts';
import { linesOf, numberedReports, openExportStores } from '../../test/support/export-stores.ts';
import { describeIf } from '../../test/support/needs.ts';
import { seededRandom } from '../../test/support/noise.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../../test/support/postgres.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { StoredReport } from '../log/stored-report.ts';
import { pageSize } from './pages.ts';

const filterOf = (filter: unknown) => `filter=${encodeURIComponent(JSON.stringify(filter))}`;
const newestFirst = (reports: readonly StoredReport[]) =>
  reports.toSorted((a, b) => (a.collectedAt > b.collectedAt ? -1 : 1));

const failed = {
  ...{ plugin: 'disk', version: null, status: 'TIMEOUT' as const, durationMs: 10.25 },
  ...{ facts: null, readings: null, error: 'took longer than 10s' },
};
const varied = [
  storedReport({
    host: { id: hostId(1), name: '=cmd|calc', labels: { environment: 'production', rack: 'r,"1"' } },
    collectedAt: '2026-05-01T10:00:00.000Z',
    results: [
      result('os', { kernel: '6.1.90', distribution: 'Débian "12",\nstable' }, { uptimeSeconds: 5.5 }),
      result('cpu', { model: '-1+1', threads: 4, hypervisor: false }, { utilization: 0.5, load1: -1 }),
      result('rack', { row: 7, odd: [{ deep: [null, true] }] }),
      failed,
    ],
  }),
  storedReport({
    ...{ host: { id: hostId(2), name: 'db-1', labels: {} }, agentVersion: null, intervalSeconds: null },
    collectedAt: '2026-05-01T10:00:02.250Z',
    results: [result('network', { primaryAddress: '192.0.2.7', dnsServers: ['192.0.2.1', '192.0.2.2'] })],
  }),
  storedReport({
    host: { id: hostId(2), name: 'db-2', labels: {}, clonedFrom: hostId(1) },
    collectedAt: '2026-05-01T10:00:03.000Z',
    droppedReports: 2,
  }),
];

describe('on SQLite', () => describeExports(async () => undefined));

describeIf(hasPostgres(), postgresNeeded, 'on PostgreSQL', () => {
  let server: ReturnType<typeof startPostgres> | undefined;
  describeExports(async () => {
    server ??= startPostgres();
    return (await server).createDatabase();
  });
});

function describeExports(newDatabase: () => Promise<string | undefined>): void {
  const open = async () => openExportStores({ postgres: await newDatabase() });

  test('reports are as they are stored, the newest first', async () => {
    const { deliver, get } = await open();
    await deliver(varied);
    const response = await get('/export/reports.ndjson');
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="reports-\d{8}T\d{6}Z\.ndjson"$/,
    );
    expect(await linesOf(response)).toEqual(newestFirst(varied));
  });

  test('a filter means what it means in GraphQL, and a limit takes the newest', async () => {
    const { deliver, get } = await open();
    await deliver(numberedReports(1200));
    const kernels = async (query: string) =>
      (await linesOf(await get(`/export/reports.ndjson?${query}`))).map(
        ({ results }) => results[0].facts.kernel,
      );
    expect(await kernels(filterOf({ os: { kernel: { gte: '6.1.7', lt: '6.1.10' } } }))).toEqual([
      '6.1.9',
      '6.1.8',
      '6.1.7',
    ]);
    expect(await kernels('limit=2')).toEqual(['6.1.1199', '6.1.1198']);
    expect(await kernels('limit=1001')).toHaveLength(1001);
    expect(await kernels('')).toHaveLength(1200);
    expect(await kernels(filterOf({ hostName: { eq: 'nobody' } }))).toEqual([]);
  });

  test('hosts tell what each plugin told last, now or at a moment in the past', async () => {
    const { deliver, get } = await open();
    await deliver(varied);
    const own = { labels: {}, agentVersion: '0.1.0', intervalSeconds: 60, clonedFrom: null };
    const seen = { firstSeenAt: '2026-05-01T10:00:01.000Z', lastSeenAt: '2026-05-01T10:00:01.000Z' };
    const hosts = await linesOf(await get(`/export/hosts.ndjson?${filterOf({ status: ['OFFLINE'] })}`));
    expect(hosts).toEqual([
      {
        ...{ ...own, ...seen, id: hostId(1), name: '=cmd|calc', labels: varied[0]?.host.labels },
        status: 'OFFLINE',
        facts: {
          cpu: { model: '-1+1', threads: 4, hypervisor: false },
          os: { kernel: '6.1.90', distribution: 'Débian "12",\nstable' },
          rack: { row: 7, odd: [{ deep: [null, true] }] },
        },
        readings: { cpu: { utilization: 0.5, load1: -1 }, os: { uptimeSeconds: 5.5 } },
      },
      {
        ...{ ...own, ...seen, id: hostId(2), name: 'db-2', status: 'OFFLINE', clonedFrom: hostId(1) },
        facts: { network: { primaryAddress: '192.0.2.7', dnsServers: ['192.0.2.1', '192.0.2.2'] } },
        readings: {},
      },
    ]);
    await deliver([
      storedReport({
        host: { id: hostId(2), name: 'db-3', labels: {} },
        collectedAt: '2026-05-02T10:00:00.000Z',
        receivedAt: '2026-05-02T10:00:01.000Z',
      }),
    ]);
    const named = async (query: string) =>
      (await linesOf(await get(`/export/hosts.ndjson?${query}`))).map(({ name, status }) => [name, status]);
    expect(await named(filterOf({ id: { eq: hostId(2) } }))).toEqual([['db-3', 'OFFLINE']]);
    expect(await named('asOf=2026-05-01T10:01:00Z')).toEqual([
      ['=cmd|calc', 'ONLINE'],
      ['db-2', 'ONLINE'],
    ]);
    expect(await named('asOf=2026-04-01T00:00:00Z')).toEqual([]);
    expect(await named('limit=1')).toHaveLength(1);
  });

  test('CSV has a head and a column for every fact and reading, and no formula', async () => {
    const { deliver, get } = await open();
    await deliver(varied);
    const response = await get('/export/reports.csv');
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    const reports = await readCsv(await response.text());
    expect(reports).toHaveLength(3);
    expect(reports[2]).toMatchObject({
      id: varied[0]?.id,
      host: hostId(1),
      hostName: "'=cmd|calc",
      labels: '{"environment":"production","rack":"r,\\"1\\""}',
      collectedAt: '2026-05-01T10:00:00.000Z',
      failures: '[{"plugin":"disk","status":"TIMEOUT","error":"took longer than 10s"}]',
      'os.kernel': '6.1.90',
      'os.distribution': 'Débian "12",\nstable',
      'os.uptimeSeconds': '5.5',
      'os.platform': null,
      'cpu.model': "'-1+1",
      'cpu.threads': '4',
      'cpu.hypervisor': 'false',
      'cpu.load1': '-1',
    });
    expect(reports[1]).toMatchObject({
      ...{ agentVersion: null, intervalSeconds: null, labels: '{}', failures: null },
      'network.dnsServers': '["192.0.2.1","192.0.2.2"]',
    });
    expect(reports.map(({ clonedFrom }) => clonedFrom)).toEqual([hostId(1), null, null]);
    const hosts = await readCsv(await (await get('/export/hosts.csv')).text());
    expect(
      hosts.map((host) => [host.name, host.status, host.clonedFrom, host['network.primaryAddress']]),
    ).toEqual([
      ["'=cmd|calc", 'OFFLINE', null, null],
      ['db-2', 'OFFLINE', hostId(1), '192.0.2.7'],
    ]);
    const empty = await (await get(`/export/hosts.csv?${filterOf({ name: { eq: 'none' } })}`)).text();
    expect(empty).toMatch(/^id,name,labels,status,firstSeenAt,lastSeenAt,agentVersion,[^\n]*\r\n$/);
  });

  test('while reports arrive and hosts change their names no row comes twice, and none is missed', async () => {
    const random = seededRandom(7);
    const stores = await open();
    const { deliver, get } = stores;
    const before = numberedReports(8 * pageSize);
    await deliver(before);
    const sizes: number[] = [];
    stores.beforeList(async () => {
      // Between any two pages: some that are newer, some of long ago, under other names.
      const more = numberedReports(20, 2000 + 20 * sizes.length).map((report) => ({
        ...report,
        host: { ...report.host, name: `renamed-${Math.floor(random() * 1000)}` },
        ...(random() < 0.5 ? { collectedAt: new Date(random() * 1.7e12).toISOString() } : {}),
      }));
      sizes.push(more.length);
      await deliver(more);
    });
    const ids = (await linesOf(await get('/export/reports.ndjson'))).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(before.map(({ id }) => id)).difference(new Set(ids)).size).toBe(0);
    expect(sizes.length).toBeGreaterThan(4);
  });

  test('hosts come once, whatever they are called meanwhile', async () => {
    const stores = await open();
    const reportOf = (number: number, name: string, minute: number) =>
      storedReport({
        host: { id: hostId(number), name, labels: {} },
        collectedAt: `2026-05-01T10:${String(minute).padStart(2, '0')}:00.000Z`,
      });
    const numbers = Array.from({ length: 1100 }, (_, number) => number);
    await stores.deliver(numbers.map((number) => reportOf(number, `a-${number}`, 0)));
    let pages = 0;
    stores.beforeList(async () => {
      pages += 1;
      // The first become the last by name, and the last the first.
      const renamed = numbers.filter((number) => number % 10 === pages % 10);
      await stores.deliver(renamed.map((number) => reportOf(number, number < 550 ? 'zz' : 'AA', pages)));
    });
    const ids = (await linesOf(await stores.get('/export/hosts.ndjson'))).map(({ id }) => id);
    expect(ids).toEqual(numbers.map(hostId));
    // The last tells that there are no more.
    expect(pages).toBe(1100 / pageSize + 1);
  });
}

test('rows of which a page is more than the index hands out come in smaller ones', async () => {
  const { deliver, get } = await openExportStores();
  const blob = 'x'.repeat(2 * 2 ** 20);
  const large = numberedReports(36).map((report, number) => ({
    ...report,
    results: [result('blob', { text: `${number}${blob}` })],
  }));
  for (let from = 0; from < large.length; from += 6) await deliver(large.slice(from, from + 6));
  const lengths = (await linesOf(await get('/export/reports.ndjson'))).map(
    ({ results }) => results[0].facts.text.length,
  );
  expect(lengths).toHaveLength(36);
  expect(Math.min(...lengths)).toBeGreaterThan(blob.length);
});

test('the API answers with what was submitted to it', async () => {
  const { fetch, deliver } = await openTestApi();
  await deliver(varied);
  expect(await linesOf(await fetch('/export/reports.ndjson'))).toEqual(newestFirst(varied));
});

/** As another program reads it. */
async function readCsv(text: string): Promise<Record<string, string | null>[]> {
  const file = join(await temporaryFolder(), 'rows.csv');
  await writeFile(file, text);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const found = await connection.runAndReadAll(
    `SELECT * FROM read_csv('${file}', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')`,
  );
  connection.closeSync();
  return found.getRowObjectsJson() as Record<string, string | null>[];
}
