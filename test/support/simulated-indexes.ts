/** simulated-indexes: the indexes of a simulation's APIs, each on a real file or in one real PostgreSQL. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { IndexStore } from '../../api/index/index-store.ts';
import { type IndexRebuild, openRebuild } from '../../api/index/open-index.ts';
import { openPostgresIndex } from '../../api/index/postgres-index.ts';
import { type IndexMode, openSqlIndex, takingSegments } from '../../api/index/sql-index.ts';
import { openSqliteDatabase } from '../../api/index/sqlite-database.ts';
import { connectSqliteFile, deleteSqliteJournal, prepareSqliteFile } from '../../api/index/sqlite-file.ts';
import { openSqliteIndex } from '../../api/index/sqlite-index.ts';
import { schemaVersion } from '../../api/index/tables.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { type Dump, dumpPostgres, dumpSqlite } from './index-dump.ts';

export type SimulatedIndexes = {
  /** The index of the API of this number. */
  open(api: number): Promise<IndexStore>;
  dump(api: number): Promise<Dump>;
  /** Deletes it, while its API is down; false where others use it too. */
  delete(api: number): boolean;
  /** An empty one, to be filled from the bucket and then dumped. */
  anew(name: string): Promise<{ rebuild: IndexRebuild; dump(): Promise<Dump> }>;
};

export type SimulatedIndexesOptions = {
  folder: string;
  /** Where the bucket is. */
  bucket: string;
  plugins: readonly AnyPlugin[];
};

/** Each API has a file, with threads of their own as in the API, which take half a second to start. */
export function threadedIndexes({ folder, bucket, plugins }: SimulatedIndexesOptions): SimulatedIndexes {
  const fileOf = (api: number) => join(folder, `index-${api}.db`);
  return {
    open: (api) => openSqliteIndex({ file: fileOf(api), bucket, plugins }),
    dump: (api) => dumpSqlite(fileOf(api)),
    delete(api) {
      rmSync(fileOf(api), { force: true });
      deleteSqliteJournal(fileOf(api));
      return true;
    },
    async anew(name) {
      const file = join(folder, name);
      const rebuild = await openRebuild({ settings: { kind: 'sqlite', file }, bucket, plugins });
      return { rebuild, dump: () => dumpSqlite(file) };
    },
  };
}

/** The same on the test's own thread. */
export function inlineIndexes(options: SimulatedIndexesOptions): SimulatedIndexes {
  const { folder, bucket, plugins } = options;
  const fileOf = (api: number) => join(folder, `index-${api}.db`);
  async function openInline(file: string, mode: IndexMode) {
    prepareSqliteFile(file, bucket);
    const database = openSqliteDatabase(connectSqliteFile(file));
    const declarations = plugins.map(({ name, facts }) => ({ name, facts }));
    const index = await openSqlIndex(database, declarations, mode);
    const store = { ...takingSegments(index, mode), finish: index.finish, refresh: async () => {} };
    return { ...store, forRequest: () => store, onReports: async () => async () => {} };
  }
  return {
    ...threadedIndexes(options),
    open: (api) => openInline(fileOf(api), 'live'),
    async anew(name) {
      const file = join(folder, name);
      const index = await openInline(file, 'bulk');
      return { rebuild: { index, takePlace: index.close, wasFilled: false }, dump: () => dumpSqlite(file) };
    },
  };
}

/** All APIs share one; what is made anew beside it is of the other dialect. */
export function postgresIndexes(url: string, options: SimulatedIndexesOptions): SimulatedIndexes {
  return {
    ...inlineIndexes(options),
    open: () => openPostgresIndex({ ...options, url }),
    dump: () => dumpPostgres(url, `os_inspector_v${schemaVersion}`),
    delete: () => false,
  };
}
