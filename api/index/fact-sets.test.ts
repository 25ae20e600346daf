/** Long lists are shared below the fact set: what that costs, and that no answer is another for it. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { definePlugin, list, text, version } from '../../plugins/plugin.ts';
import { whenFileIsDone } from '../../test/support/cleanup.ts';
import { describeIf } from '../../test/support/needs.ts';
import { seededRandom } from '../../test/support/noise.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../../test/support/postgres.ts';
import { randomFacts } from '../../test/support/random-facts.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { segmentKey } from '../log/segment-key.ts';
import type { FactCondition, HostFilter } from './filter.ts';
import type { IndexStore } from './index-store.ts';
import { openPostgresIndex } from './postgres-index.ts';
import { openSqliteIndex } from './sqlite-index.ts';

const folder = await temporaryFolder();
const bucket = 'file:/srv/bucket';
const software = definePlugin({
  name: 'software',
  version: 1,
  description: 'What is installed',
  facts: {
    packages: list('By name', { name: text('A name'), release: version('A version') }, { key: 'name' }),
  },
  collect: async () => null,
});

const instant = (hour: number) =>
  new Date(Date.parse('2026-05-01T00:00:00Z') + hour * 3_600_000).toISOString();
const reportOf = (host: number, hour: number, plugin: string, facts: unknown) =>
  storedReport({
    host: { id: hostId(host), name: `web-${host}`, labels: {} },
    collectedAt: instant(hour),
    receivedAt: instant(hour),
    results: [result(plugin, facts)],
  });
const tell = async (index: IndexStore, ...reports: ReturnType<typeof reportOf>[]) => {
  for (const report of reports) await index.apply([{ key: segmentKey([report]), reports: [report] }]);
};

const packages = (count: number, changed = -1) => ({
  packages: Array.from({ length: count }, (_, number) => ({
    name: `package-${number}`,
    release: number === changed ? '2.0' : '1.0',
  })),
});

async function openFile(plugins = [software]) {
  const file = join(folder, `${crypto.randomUUID()}.db`);
  const index = await openSqliteIndex({ file, bucket, plugins });
  const rows = (table: string) => {
    const db = new DatabaseSync(file, { readOnly: true });
    const found = Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
    db.close();
    return found;
  };
  return { file, index, rows };
}

test('another host with the same packages but one, or one that changed, adds little', async () => {
  const { index, rows } = await openFile();
  await tell(index, reportOf(1, 0, 'software', packages(1_000)));
  const first = { values: rows('fact_values'), links: rows('block_elements') };
  expect(first.values).toBeGreaterThan(3_000);
  await tell(
    index,
    reportOf(2, 0, 'software', packages(999)),
    reportOf(3, 0, 'software', packages(1_000)),
    reportOf(1, 1, 'software', packages(1_000, 400)),
  );
  expect(rows('fact_values') - first.values).toBeLessThan(60);
  expect(rows('block_elements') - first.links).toBeLessThan(200);
  const [, change] = await index
    .changesOf(
      'host',
      [hostId(1)],
      {
        ...{ host: null, reports: null, plugin: 'software', path: null, start: null, end: null },
        ...{ before: null, after: null, initial: false },
      },
      { limit: 5 },
    )
    .then(([changes]) => [changes?.length, changes?.[0]]);
  expect(change).toMatchObject({
    ...{ path: 'software.packages.release', keys: ['package-400'], before: '1.0', after: '2.0' },
  });
  await index.close();
});

test('facts are given back as they were sent, byte for byte', async () => {
  const { index } = await openFile();
  const facts = {
    zeta: 1,
    packages: packages(2_000, 7).packages.toReversed(),
    alpha: { b: '\u2028ä', a: null },
  };
  await tell(index, reportOf(1, 0, 'software', facts));
  const [[found] = []] = await index.latestResults([hostId(1)], null);
  expect(JSON.stringify(found?.facts)).toBe(JSON.stringify(facts));
  await index.close();
});

test('what only forgotten reports told goes, elements and blocks too', async () => {
  const { index, rows } = await openFile();
  const tables = ['fact_sets', 'fact_values', 'elements', 'blocks', 'block_elements', 'fact_set_blocks'];
  await tell(
    index,
    reportOf(1, 0, 'software', packages(200)),
    reportOf(2, 1, 'software', packages(200, 7)),
    reportOf(1, 2, 'software', packages(200)),
  );
  const both = rows('elements');
  expect(await index.forget(Date.parse(instant(2)))).toBe(2);
  expect(rows('elements')).toBe(both - 1);
  expect(await index.countHosts({ filter: withPackage([named('package-7')]), asOf: null })).toBe(1);
  expect(await index.forget(Date.parse(instant(3)))).toBe(1);
  expect(tables.map((table) => rows(table))).toEqual(tables.map(() => 0));
  // Numbers begin anew, and nothing is taken for what it was.
  await tell(index, reportOf(2, 4, 'software', packages(200, 8)));
  expect(rows('elements')).toBe(200);
  expect(
    await index.countHosts({ filter: withPackage([named('package-8'), released('2')]), asOf: null }),
  ).toBe(1);
  await index.close();
});

test('elements follow the declaration', async () => {
  const { file, index, rows } = await openFile();
  await tell(index, reportOf(1, 0, 'software', packages(150)));
  const before = rows('fact_values');
  await index.close();
  const narrow = {
    ...software,
    facts: { packages: list('By name', { name: text('A name') }, { key: 'name' }) },
  };
  const again = await openSqliteIndex({ file, bucket, plugins: [narrow] });
  expect(before - rows('fact_values')).toBe(150);
  expect([rows('elements'), rows('fact_set_blocks')]).toEqual([150, rows('blocks')]);
  expect(await again.countHosts({ filter: withPackage([named('package-7')]), asOf: null })).toBe(1);
  await again.close();
  const undeclared = await openSqliteIndex({ file, bucket, plugins: [] });
  expect(rows('fact_values')).toBe(before);
  expect(rows('elements')).toBe(150);
  expect(await undeclared.countHosts({ filter: withPackage([named('package-7')]), asOf: null })).toBe(1);
  await undeclared.close();
});

function value(fact: string, than: string): FactCondition {
  const path = `software.packages.${fact}`;
  return { kind: 'value', path, column: 'text', tests: [{ op: 'eq', value: than }] };
}
const named = (name: string) => value('name', name);
/** As versions compare: what begins so. */
function released(start: string): FactCondition {
  const path = 'software.packages.release';
  return { kind: 'value', path, column: 'text', tests: [{ op: 'contains', value: start }] };
}
function withPackage(conditions: FactCondition[]): HostFilter {
  const some: FactCondition = { kind: 'some', path: 'software.packages', conditions };
  return { kind: 'facts', plugin: 'software', conditions: [some] };
}

/** Two indexes of the same facts: in one all lists are whole. */
async function answersAreTheSame(open: (longListLength: number) => Promise<IndexStore>, seed: number) {
  const random = seededRandom(seed);
  const facts = Array.from({ length: 12 }, () => randomFacts(random, 6));
  const [whole, shared] = await Promise.all([open(Number.POSITIVE_INFINITY), open(3)]);
  const reports = facts.map((told, number) => reportOf(number % 8, number, 'rack', told));
  for (const index of [whole, shared]) await tell(index, ...reports);
  const paths = await whole.pathsOf('rack', 1_000);
  expect(await shared.pathsOf('rack', 1_000)).toEqual(paths);
  const questions = paths.flatMap((path) => {
    const tests: FactCondition[] = [
      { kind: 'told', path },
      ...[['x'], ['y', 'Äx']].map(
        (values): FactCondition => ({
          kind: 'anywhere',
          path,
          column: 'text',
          tests: [{ op: 'in', values }],
        }),
      ),
      { kind: 'anywhere', path, column: 'number', tests: [{ op: 'lt', value: 2 }] },
      { kind: 'anywhere', path, column: 'text', tests: [{ op: 'isNull', value: true }] },
      { kind: 'length', path, column: 'number', tests: [{ op: 'gte', value: 3 }] },
      ...(['some', 'every', 'none'] as const).flatMap((kind): FactCondition[] => [
        {
          kind,
          path,
          conditions: [{ kind: 'value', path, column: 'text', tests: [{ op: 'eq', value: 'x' }] }],
        },
        ...paths
          .filter((inner) => inner.startsWith(`${path}.`))
          .map((inner): FactCondition => {
            const isOne: FactCondition = {
              ...{ kind: 'value', path: inner, column: 'number', tests: [{ op: 'eq', value: 1 }] },
            };
            return { kind, path, conditions: [isOne] };
          }),
      ]),
    ];
    return tests;
  });
  const ask = async (index: IndexStore) => {
    const found: unknown[] = [];
    for (const condition of questions) {
      const filter: HostFilter = { kind: 'facts', plugin: 'rack', conditions: [condition] };
      const hosts = { filter, asOf: null, order: { field: 'NAME', direction: 'ASC' } } as const;
      const before = { filter, asOf: Date.parse(instant(7)) };
      const rows = await index.hosts(hosts, { limit: 50 });
      found.push([
        rows.map(({ id }) => id),
        await index.countHosts(before),
        await index.countReports(filter),
      ]);
    }
    for (const path of paths) {
      const of = { plugin: 'rack', path, compare: null };
      const by = { plugin: 'rack', path: paths[0] ?? path, compare: null };
      const all = { filter: null, asOf: null };
      found.push(await index.factCounts({ ...all, of, by: null, limit: 100 }));
      found.push(await index.factCounts({ ...all, of, by, limit: 100 }));
      found.push(await index.factDistributions({ ...all, of, by: null }));
      found.push(await index.factDistributions({ ...all, of: by, by: of }));
    }
    return found;
  };
  expect(await ask(shared)).toEqual(await ask(whole));
  await Promise.all([whole.close(), shared.close()]);
}

/** In the order of their bytes, in which the second to last comes before the last. */
const rarities = ['a', 'b', '\uffee', '\u{1f600}'];

/** More fact sets than are read at once: of some hosts the list is long, of some it is not, and some have none. */
async function countsAreRight(open: (longListLength: number) => Promise<IndexStore>) {
  const index = await open(5);
  const hosts = Array.from({ length: 140 }, (_, host) => {
    const names = Array.from({ length: host % 14 }, (_, at) => `package-${(host * (at + 1)) % 23}`);
    return [...names, ...names.slice(0, 2), ...(host > 0 && host < 5 ? [rarities[host - 1] ?? ''] : [])];
  });
  await tell(
    index,
    ...hosts.map((names, host) => {
      return reportOf(host, host, 'software', { packages: names.map((name) => ({ name, release: null })) });
    }),
    ...[200, 201].map((host) => reportOf(host, host, 'rack', { row: 7 })),
  );
  const expected = new Map<string | null, number>([[null, 2]]);
  for (const names of hosts) {
    for (const name of names.length === 0 ? [null] : new Set(names))
      expected.set(name, (expected.get(name) ?? 0) + 1);
  }
  const bytes = (name: string | null) => Buffer.from(name ?? '');
  const counted = [...expected]
    .map(([value, count]) => ({ value, hosts: count, groups: [] }))
    .sort((a, b) => b.hosts - a.hosts || Buffer.compare(bytes(a.value), bytes(b.value)));
  const of = { plugin: 'software', path: 'software.packages.name', compare: 'text' } as const;
  const question = { of, by: null, filter: null, asOf: null };
  expect(await index.factCounts({ ...question, limit: 100 })).toEqual(counted);
  expect(await index.factCounts({ ...question, limit: 3 })).toEqual(counted.slice(0, 3));
  await index.close();
}

describe('hosts are counted by what is in long lists and short ones', () => {
  test('SQLite', () =>
    countsAreRight((longListLength) =>
      openSqliteIndex({
        ...{ file: join(folder, `${crypto.randomUUID()}.db`), bucket, plugins: [software], longListLength },
      }),
    ));

  describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL', () => {
    test('as well', async () => {
      const url = await (await startPostgres()).createDatabase();
      await countsAreRight((longListLength) =>
        openPostgresIndex({ url, bucket, plugins: [software], longListLength }),
      );
    });
  });
});

describe('of facts that nobody declares every answer is the same as from lists that are whole', () => {
  test('SQLite', async () => {
    const open = (longListLength: number) =>
      openSqliteIndex({
        file: join(folder, `${crypto.randomUUID()}.db`),
        bucket,
        plugins: [],
        longListLength,
      });
    await answersAreTheSame(open, Number(process.env.SEED ?? 1));
  });

  describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL', () => {
    test('seed 4', async () => {
      const server = await startPostgres();
      const open = async (longListLength: number) => {
        const index = await openPostgresIndex({
          url: await server.createDatabase(),
          ...{ bucket, plugins: [], longListLength },
        });
        whenFileIsDone(() => index.close());
        return index;
      };
      await answersAreTheSame(open, 4);
    });
  });
});
