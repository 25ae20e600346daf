/**
 * file-lock: lets one process at a time into a piece of work.
 *
 * The lock is that of SQLite on an otherwise empty database: the system itself releases it, however
 * its holder ends. A lock file of our own would stay behind, and taking a stale one away safely
 * needs another lock.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** What is done under the lock takes milliseconds; who waits this long waits for something broken. */
const patienceMs = 10_000;
const retryMs = 10;

/** https://www.sqlite.org/rescode.html#busy */
const sqliteBusy = 5;

/**
 * Does `work` while no one else holds the lock at `path`, a file that is made and stays.
 *
 * @throws when the file cannot be opened or the lock not be had for 10 seconds; else what `work` throws
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  // Loaded only here: most starts of the agent need no lock.
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    for (const giveUpAt = performance.now() + patienceMs; !tryLock((sql) => database.exec(sql)); ) {
      if (performance.now() > giveUpAt) throw new Error(`another process holds ${path}`);
      await sleep(retryMs);
    }
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(exec: (sql: string) => void): boolean {
  try {
    exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === sqliteBusy) return false;
    throw error;
  }
}
