/**
 * Cursors hold while reports arrive: whoever pages through a list, with any order, filter and page size and in either
 * direction, meets no row twice, and misses none that was there all the time.
 */
import { v7 as uuidV7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import type { StoredReport } from '../api/log/stored-report.ts';
import { dataOf, openTestApi, type TestApi } from './support/api.ts';
import { describeIf } from './support/needs.ts';
import { type Random, seededRandom } from './support/noise.ts';
import { hasPostgres, postgresNeeded, startPostgres } from './support/postgres.ts';
import { hostId, result, storedReport } from './support/reports.ts';

const start = Date.parse('2026-05-01T10:00:00Z');
const minuteMs = 60_000;
const walks = 12;

/** Makes reports of some hosts, of few instants, names and kernels, so that equals have to be told apart. */
function makeSource(random: Random) {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const sent: StoredReport[] = [];
  let hosts = 6;
  const bytes = () => Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));

  function make(): StoredReport {
    // What is known already, as an agent sends that has not heard of its acknowledgement.
    if (sent.length > 0 && random() < 0.1) return pick(sent);
    if (random() < 0.15) hosts += 1;
    const host = Math.floor(random() * hosts);
    const receivedAt = start + Math.floor(random() * 50) * minuteMs;
    // Some come late.
    const collectedAt = receivedAt - pick([0, 0, 0, 10, 20]) * minuteMs;
    const kernel = pick(['6.1.9', '6.1.90', '6.6.0', null]);
    const report = storedReport({
      id: uuidV7({ random: bytes(), msecs: receivedAt }),
      host: { id: hostId(host), name: `web-${host % 4}`, labels: { rack: pick(['a', 'b']) } },
      collectedAt: new Date(collectedAt).toISOString(),
      receivedAt: new Date(receivedAt).toISOString(),
      results: [
        result('os', { kernel, distribution: pick(['Debian', 'Ubuntu']) }),
        result('cpu', { threads: pick([2, 4, 8]) }),
      ],
    });
    sent.push(report);
    return report;
  }
  return { make, pick };
}

const key = (row: Record<string, unknown>) => JSON.stringify(row);

type List = {
  field: string;
  /** What tells a row from all others. */
  row: string;
  orders: readonly string[];
  filters: readonly string[];
  /** Rows that stay, where they are, whatever comes in. */
  stays: boolean;
};

const lists: List[] = [
  {
    field: 'reports',
    row: 'id',
    orders: ['COLLECTED_AT', 'RECEIVED_AT'].flatMap((field) =>
      ['ASC', 'DESC'].map((direction) => `orderBy: { field: ${field}, direction: ${direction} }`),
    ),
    filters: [
      '',
      'filter: { os: { kernel: { gte: "6.1.90" } } }',
      'filter: { cpu: { threads: { in: [2, 8] } }, not: { os: { distribution: { eq: "Ubuntu" } } } }',
      `filter: { host: { in: ["${hostId(0)}", "${hostId(1)}", "${hostId(2)}"] } }`,
      'filter: { collectedAt: { gte: "2026-05-01T10:10:00Z", lt: "2026-05-01T10:40:00Z" } }',
    ],
    stays: true,
  },
  {
    field: 'hosts',
    row: 'id',
    // A host keeps its name and when it was first seen; what else it is ordered by moves it.
    orders: ['ASC', 'DESC'].map((direction) => `orderBy: { field: NAME, direction: ${direction} }`),
    filters: [
      '',
      'filter: { name: { in: ["web-1", "web-2"] } }',
      'filter: { firstSeenAt: { lt: "2026-05-02T00:00:00Z" } }',
    ],
    stays: true,
  },
  {
    field: 'hosts',
    row: 'id',
    orders: [
      '{ field: LAST_SEEN_AT, direction: DESC }',
      '{ fact: "os.kernel" }',
      '{ fact: "cpu.threads", direction: DESC }',
      '{ fact: "os.kernel", direction: DESC }',
    ].map((order) => `orderBy: ${order}`),
    filters: ['', 'filter: { cpu: { threads: { gte: 4 } } }'],
    stays: false,
  },
  {
    field: 'hosts',
    row: 'id',
    orders: ['{ fact: "os.kernel" }', '{ fact: "cpu.threads", direction: DESC }', '{ field: NAME }'].map(
      (order) => `asOf: "2026-05-01T09:00:00Z", orderBy: ${order}`,
    ),
    filters: ['', 'filter: { os: { kernel: { isNull: false } } }'],
    stays: true,
  },
  {
    field: 'changes',
    row: 'at plugin path keys host { id } report { id }',
    orders: [''],
    filters: ['', 'filter: { path: "os.kernel" }', 'filter: { plugin: "cpu" }', 'filter: { initial: true }'],
    stays: true,
  },
];

function describeCursors(open: () => Promise<TestApi>): void {
  test.each([1, 2])('seed %i', { timeout: 240_000 }, async (seed) => {
    const random = seededRandom(seed);
    const { make, pick } = makeSource(random);
    const api = await open();
    const arrive = (count: number) => api.deliver(Array.from({ length: count }, make));
    await arrive(60);
    let rows = 0;

    for (let walk = 0; walk < walks; walk += 1) {
      const { field, row, orders, filters, stays } = pick(lists);
      const args = `${pick(orders)} ${pick(filters)}`;
      const ask = async (page: string) =>
        (
          await dataOf(
            api.ask(
              `{ ${field}(${page} ${args}) { nodes { ${row} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
            ),
          )
        )[field];
      const all = async (): Promise<string[]> => (await ask('first: 1000')).nodes.map(key);
      const forward = random() < 0.5;
      const before = await all();
      const seen: string[] = [];
      let stayed = new Set(before);
      for (let place: string | null = null, more = true; more; ) {
        const size = 1 + Math.floor(random() * 20);
        const from: string = place === null ? '' : `${forward ? 'after' : 'before'}: "${place}"`;
        const { nodes, pageInfo } = await ask(`${forward ? 'first' : 'last'}: ${size} ${from}`);
        const ids: string[] = nodes.map(key);
        if (forward) seen.push(...ids);
        else seen.unshift(...ids);
        more = forward ? pageInfo.hasNextPage : pageInfo.hasPreviousPage;
        place = forward ? pageInfo.endCursor : pageInfo.startCursor;
        if (random() < 0.3) continue;
        await arrive(1 + Math.floor(random() * 3));
        // A late report may take a change away, and another bring it back.
        stayed = stayed.intersection(new Set(await all()));
      }
      const what = `${field}(${args}) ${forward ? 'forward' : 'backward'}`;
      rows += seen.length;
      // A host that moves in its order while somebody pages may be met at both its places, or at none.
      if (!stays) continue;
      expect(new Set(seen).size, `${what}: none twice`).toBe(seen.length);
      expect(
        seen.filter((id) => stayed.has(id)),
        `${what}: none missed, in order`,
      ).toEqual([...stayed]);
    }
    expect(rows).toBeGreaterThan(walks * 5);
    await api.close();
  });
}

describe('SQLite', () => describeCursors(() => openTestApi()));

describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL', async () => {
  const server = await startPostgres();
  describeCursors(async () => openTestApi({ postgres: await server.createDatabase() }));
});
