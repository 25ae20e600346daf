import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { definePlugin, text } from '../../plugins/plugin.ts';
import { describeIndex } from '../../test/contracts/index-suite.ts';
import { dumpSqlite } from '../../test/support/index-dump.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { Segment } from '../log/segment.ts';
import { segmentKey } from '../log/segment-key.ts';
import type { FactCondition } from './filter.ts';
import { hasSegments } from './sqlite-file.ts';
import { openSqliteIndex } from './sqlite-index.ts';
import { schemaVersion } from './tables.ts';

const folder = await temporaryFolder();
const newFile = () => join(folder, `${crypto.randomUUID()}.db`);
const bucket = 'file:/srv/bucket';
const builtin = await loadBuiltinPlugins();
const segment = (...facts: unknown[]): Segment => ({
  key: 'reports/date=2026-05-01/hour=10/0198f3a0-0000-7000-8000-000000000001.ndjson.gz',
  reports: facts.map((value) => storedReport({ results: [result('rack', value)] })),
});

describe('SQLite index', () => {
  describeIndex(async () => {
    const file = newFile();
    const index = await openSqliteIndex({ file, bucket, plugins: builtin });
    return { index, dump: () => dumpSqlite(file) };
  });

  test('finds what is rare however far back it was told', async () => {
    const index = await openSqliteIndex({ file: newFile(), bucket, plugins: builtin });
    const start = Date.parse('2026-05-01T10:00:00Z');
    // More than are walked before the contents that pass are found out.
    const reports = Array.from({ length: 21_000 }, (_, number) =>
      storedReport({
        host: { id: hostId(number % 3), name: `web-${number % 3}`, labels: {} },
        collectedAt: new Date(start + number).toISOString(),
        receivedAt: new Date(start + number).toISOString(),
        results: [result('os', { distribution: number < 5 ? 'Slackware' : 'Debian' })],
      }),
    );
    await index.apply([{ key: segmentKey(reports), reports }]);
    const isDebian: FactCondition = {
      ...{ kind: 'value', path: 'os.distribution', column: 'text' },
      tests: [{ op: 'eq', value: 'Debian' }],
    };
    const listing = {
      filter: { kind: 'not', filter: { kind: 'facts', plugin: 'os', conditions: [isDebian] } },
      order: { field: 'COLLECTED_AT', direction: 'DESC' },
    } as const;
    const found = await index.reports(listing, { limit: 3 });
    expect(found.map(({ id }) => id)).toEqual([4, 3, 2].map((number) => reports[number]?.id));
    await index.close();
  });

  test('keeps what it holds when it is opened again', async () => {
    const file = newFile();
    const first = await openSqliteIndex({ file, bucket, plugins: builtin });
    await first.apply([segment({ row: 'a' })]);
    await first.close();
    const discarded: string[] = [];
    const again = await openSqliteIndex({
      file,
      bucket,
      plugins: builtin,
      onDiscard: (reason) => discarded.push(reason),
    });
    expect(await again.countReports(null)).toBe(1);
    expect(discarded).toEqual([]);
    await again.close();
  });

  test('an index of another version is thrown away, and that is told', async () => {
    for (const other of [schemaVersion - 1, 999]) {
      const file = newFile();
      await (await openSqliteIndex({ file, bucket, plugins: builtin })).close();
      const db = new DatabaseSync(file);
      db.exec(`PRAGMA user_version = ${other}`);
      db.close();
      const discarded: string[] = [];
      const onDiscard = (reason: string) => discarded.push(reason);
      const index = await openSqliteIndex({ file, bucket, plugins: builtin, onDiscard });
      expect(discarded).toEqual([expect.stringContaining(`version ${other},`)]);
      expect(await index.countReports(null)).toBe(0);
      await index.close();
    }
  });

  test('an index of another bucket is thrown away: what is not in this one must not count as kept', async () => {
    const file = newFile();
    const first = await openSqliteIndex({ file, bucket, plugins: builtin });
    await first.apply([segment({ row: 'a' })]);
    await first.close();
    const discarded: string[] = [];
    const onDiscard = (reason: string) => discarded.push(reason);
    const other = await openSqliteIndex({ file, bucket: 's3://fleet', plugins: builtin, onDiscard });
    expect(await other.countReports(null)).toBe(0);
    expect(discarded).toEqual(['it is a view of file:/srv/bucket, not of s3://fleet']);
    await other.close();
  });

  test('a damaged index is thrown away', async () => {
    const file = newFile();
    const first = await openSqliteIndex({ file, bucket, plugins: builtin });
    await first.apply([segment({ row: 'a' })]);
    await first.close();
    const bytes = readFileSync(file);
    // The first page but its header, which says that it is ours.
    writeFileSync(
      file,
      Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(3996, 0xff), bytes.subarray(4096)]),
    );
    const discarded: string[] = [];
    const index = await openSqliteIndex({
      file,
      bucket,
      plugins: builtin,
      onDiscard: (reason) => discarded.push(reason),
    });
    expect(discarded).toHaveLength(1);
    expect(await index.countReports(null)).toBe(0);
    await index.close();
  });

  test.each([
    ['text', (file: string) => writeFileSync(file, 'notes that someone would miss. '.repeat(40))],
    [
      "another program's database",
      (file: string) => {
        const db = new DatabaseSync(file);
        db.exec('CREATE TABLE precious (x); INSERT INTO precious VALUES (1)');
        db.close();
      },
    ],
  ])('%s is refused and left as it is', async (_what, write) => {
    const file = newFile();
    write(file);
    const before = readFileSync(file);
    for (const touch of [
      () => openSqliteIndex({ file, bucket, plugins: builtin }),
      async () => hasSegments(file),
    ]) {
      await expect(touch()).rejects.toThrow(/not an index of os-inspector.*INDEX_URL/);
    }
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('an index that another process holds is not taken for damaged', async () => {
    const file = newFile();
    const first = await openSqliteIndex({ file, bucket, plugins: builtin });
    await first.apply([segment({ row: 'a' })]);
    await first.close();
    const holder = new DatabaseSync(file);
    holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    await expect(openSqliteIndex({ file, bucket, plugins: builtin })).rejects.toThrow(/locked/);
    holder.exec('ROLLBACK');
    holder.close();
    const again = await openSqliteIndex({ file, bucket, plugins: builtin });
    expect(await again.countReports(null)).toBe(1);
    await again.close();
  });

  test('an empty file is a new index', async () => {
    const file = newFile();
    writeFileSync(file, '');
    const index = await openSqliteIndex({ file, bucket, plugins: builtin });
    expect(await index.countReports(null)).toBe(0);
    await index.close();
  });

  test('facts that were there before their plugin was known become filterable', async () => {
    const file = newFile();
    const before = await openSqliteIndex({ file, bucket, plugins: builtin });
    await before.apply([segment({ row: 'a' }, { row: 'b' }, { row: 7 })]);
    await before.close();
    const rack = definePlugin({
      name: 'rack',
      version: 1,
      description: 'Where the host stands',
      facts: { row: text('Row of racks') },
      collect: async () => null,
    });
    const after = await openSqliteIndex({ file, bucket, plugins: [...builtin, rack] });
    const row = (value: string): FactCondition => ({
      kind: 'value',
      path: 'rack.row',
      column: 'text',
      tests: [{ op: 'eq', value }],
    });
    const count = (condition: FactCondition) =>
      after.countReports({ kind: 'facts', plugin: 'rack', conditions: [condition] });
    expect(await count(row('a'))).toBe(1);
    // What does not fit the declaration is kept, and not compared.
    expect(await count(row('7'))).toBe(0);
    expect(await after.countReports(null)).toBe(3);
    await after.close();

    // What comes in while the plugin is not known again is found once it is.
    const without = await openSqliteIndex({ file, bucket, plugins: builtin });
    await without.apply([{ ...segment({ row: 'c' }), key: segment().key.replace('01.nd', '02.nd') }]);
    await without.close();
    const back = await openSqliteIndex({ file, bucket, plugins: [...builtin, rack] });
    const found = { kind: 'facts' as const, plugin: 'rack', conditions: [row('c')] };
    expect(await back.countReports(found)).toBe(1);
    await back.close();
  });
});
