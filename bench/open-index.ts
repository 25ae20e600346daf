/** open-index: a new index of either dialect, in place of an API's. */
import { DatabaseSync } from 'node:sqlite';
import type { IndexStore } from '../api/index/index-store.ts';
import { openSqliteIndex } from '../api/index/sqlite-index.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { runSql } from '../test/support/postgres.ts';
import { type Dialect, newIndexEnv } from './servers.ts';

export type BenchIndex = {
  store: IndexStore;
  /** What it takes on disk, indexes and free pages included, its journal not. */
  bytes(): Promise<number>;
};

/** @param longListLength of a list from which on its elements are shared */
export async function openBenchIndex(dialect: Dialect, longListLength?: number): Promise<BenchIndex> {
  const { INDEX_URL: url } = await newIndexEnv(dialect);
  const options = { bucket: 'file:/bench', plugins: await loadBuiltinPlugins(), longListLength };
  if (dialect === 'SQLite') {
    const file = url.slice('sqlite:'.length);
    return { store: await openSqliteIndex({ file, ...options }), bytes: async () => sqliteBytes(file) };
  }
  const { openPostgresIndex } = await import('../api/index/postgres-index.ts');
  return { store: await openPostgresIndex({ url, ...options }), bytes: () => postgresBytes(url) };
}

/** By the pages that are in use: those that are still in the journal count, the file's length does not. */
export function sqliteBytes(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const [pages, size] = ['page_count', 'page_size'].map((name) =>
    Number(database.prepare(`PRAGMA ${name}`).get()?.[name]),
  );
  database.close();
  return (pages ?? 0) * (size ?? 0);
}

export async function postgresBytes(url: string): Promise<number> {
  const [row] = await runSql(url, 'select pg_database_size(current_database()) as bytes');
  return Number(row?.bytes);
}
