/**
 * sqlite-worker: the thread that one connection to the SQLite index lives in.
 *
 * SQLite answers on the calling thread: here that is nobody else's. Answers each message `{ id, method, args }` with
 * `{ id, value }` or `{ id, error }`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Declaration } from './flatten.ts';
import { type IndexMode, makeSqlReader, openSqlIndex, type SqlIndex, type SqlReader } from './sql-index.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import { connectSqliteFile, toSqliteFailure } from './sqlite-file.ts';
import { toMessage } from './thread-error.ts';

export type SqliteWorkerData = {
  file: string;
  /** What the one thread that writes needs; null for those that read. */
  writer: { declarations: readonly Declaration[]; mode: IndexMode } | null;
};

export type Call = { id: number; method: keyof SqlIndex; args: unknown[] };

const { file, writer } = workerData as SqliteWorkerData;
const opening = open();

async function open(): Promise<SqlReader | SqlIndex> {
  const database = openSqliteDatabase(connectSqliteFile(file));
  return writer ? openSqlIndex(database, writer.declarations, writer.mode) : makeSqlReader(database);
}

parentPort?.on('message', async ({ id, method, args }: Call) => {
  try {
    const index = (await opening) as SqlIndex;
    const call = index[method] as (...args: unknown[]) => Promise<unknown>;
    parentPort?.postMessage({ id, value: await call(...args) });
  } catch (cause) {
    parentPort?.postMessage({ id, error: toMessage(toSqliteFailure(cause)) });
  }
  if (method === 'close') parentPort?.close();
});
