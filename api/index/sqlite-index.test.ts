import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { definePlugin, text } from '../../plugins/plugin.ts';
import { describeIndex } from '../../test/contracts/index-suite.ts';
import { result, storedReport } from '../../test/support/reports.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { FactCondition } from './filter.ts';
import { openSqliteIndex } from './sqlite-index.ts';

const folder = await temporaryFolder();
const newFile = () => join(folder, `${crypto.randomUUID()}.db`);
const builtin = await loadBuiltinPlugins();
const segment = (...facts: unknown[]) => ({
  key: 'reports/date=2026-05-01/hour=10/0198f3a0-0000-7000-8000-000000000001.ndjson.gz',
  reports: facts.map((value) => storedReport({ results: [result('rack', value)] })),
});

describe('SQLite index', () => {
  describeIndex(async () => openSqliteIndex({ file: newFile(), plugins: builtin }));

  test('keeps what it holds when it is opened again', async () => {
    const file = newFile();
    const first = openSqliteIndex({ file, plugins: builtin });
    await first.apply(segment({ row: 'a' }));
    first.close();
    const discarded: string[] = [];
    const again = openSqliteIndex({ file, plugins: builtin, onDiscard: (reason) => discarded.push(reason) });
    expect(await again.countReports(null)).toBe(1);
    expect(discarded).toEqual([]);
    again.close();
  });

  test.each([
    [
      'is no database',
      (file: string) => writeFileSync(file, 'not a database, but some text that is long enough'),
    ],
    [
      'is of another version',
      (file: string) => {
        const db = new DatabaseSync(file);
        db.exec('CREATE TABLE old (x); PRAGMA user_version = 999');
        db.close();
      },
    ],
  ])('a file that %s is thrown away, and that is told', async (_what, write) => {
    const file = newFile();
    write(file);
    const discarded: string[] = [];
    const index = openSqliteIndex({ file, plugins: builtin, onDiscard: (reason) => discarded.push(reason) });
    expect(discarded).toHaveLength(1);
    expect(await index.countReports(null)).toBe(0);
    expect(existsSync(file)).toBe(true);
    index.close();
  });

  test('facts that were there before their plugin was known become filterable', async () => {
    const file = newFile();
    const before = openSqliteIndex({ file, plugins: builtin });
    await before.apply(segment({ row: 'a' }, { row: 'b' }, { row: 7 }));
    before.close();
    const rack = definePlugin({
      name: 'rack',
      version: 1,
      description: 'Where the host stands',
      facts: { row: text('Row of racks') },
      collect: async () => null,
    });
    const after = openSqliteIndex({ file, plugins: [...builtin, rack] });
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
    after.close();
  });
});
