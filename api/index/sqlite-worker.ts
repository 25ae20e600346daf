/**
 * sqlite-worker: the thread that one connection to the SQLite index lives in.
 *
 * SQLite answers on the calling thread: here that is nobody else's.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Declaration } from './flatten.ts';
import { type IndexMode, makeSqlReader, openSqlIndex, type SqlIndex, type SqlReader } from './sql-index.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import { connectSqliteFile, toSqliteFailure } from './sqlite-file.ts';
import {
  type Answer,
  type Call,
  type Cancellations,
  gathering,
  isCancelled,
  toMessage,
} from './thread-messages.ts';

export type SqliteWriterData = {
  declarations: readonly Declaration[];
  mode: IndexMode;
  /** Of a list from which on its elements are shared. */
  longListLength: number | undefined;
};

export type SqliteWorkerData = {
  file: string;
  /** What the one thread that writes needs; null for those that read. */
  writer: SqliteWriterData | null;
  /** Gives way to the other threads where there are not enough processors for all. */
  yields: boolean;
  cancellations: Cancellations;
};

/** Of nineteen steps down: a tenth of the share of the others. */
const yieldingPriority = 10;

const { file, writer, yields, cancellations } = workerData as SqliteWorkerData;
/** The id of the call that a statement belongs to. */
const calls = new AsyncLocalStorage<number>();
// On Linux that is the calling thread's; elsewhere it would be the whole process's.
if (yields && process.platform === 'linux') setPriority(0, yieldingPriority);
const opening = open();

async function open(): Promise<SqlReader | SqlIndex> {
  const database = openSqliteDatabase(connectSqliteFile(file), () => {
    const id = calls.getStore();
    return id === undefined || !isCancelled(cancellations, id);
  });
  if (!writer) return makeSqlReader(database);
  const { declarations, mode, longListLength } = writer;
  return openSqlIndex(database, declarations, mode, { longListLength });
}

const answer = gathering<Answer>((answers) => parentPort?.postMessage(answers));

parentPort?.on('message', (asked: Call[]) => {
  for (const call of asked) calls.run(call.id, run, call);
});

async function run({ id, method, args }: Call): Promise<void> {
  try {
    const index = (await opening) as SqlIndex;
    const call = index[method] as (...args: unknown[]) => Promise<unknown>;
    answer({ id, value: await call(...args) });
  } catch (cause) {
    answer({ id, error: toMessage(toSqliteFailure(cause)) });
  }
  // After the answer has gone.
  if (method === 'close') setImmediate(() => parentPort?.close());
}
