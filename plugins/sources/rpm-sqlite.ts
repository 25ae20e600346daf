/**
 * rpm-sqlite: reads the package headers out of rpmdb.sqlite, the database that rpm has on Fedora and RHEL 9 on.
 *
 * It is opened so that nothing is written beside it and no lock is taken: as it lies on the disk when nothing waits in its
 * write-ahead log, which is whenever rpm does not run.
 */
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/** Headers are some 50 kB each: after so many, others may have the thread. */
const headersAtOnce = 100;

/**
 * What `read` makes of each header, null left out, in the database's order.
 *
 * @param file absolute
 * @param hasLog whether the write-ahead log beside it holds anything
 * @throws Error when it is damaged, or no such database
 */
export async function readRpmSqlite<T>(
  file: string,
  hasLog: boolean,
  read: (header: Uint8Array) => T | null,
  signal: AbortSignal,
): Promise<T[]> {
  const { DatabaseSync } = await import('node:sqlite');
  const url = pathToFileURL(file);
  if (!hasLog) url.searchParams.set('immutable', '1');
  const database = new DatabaseSync(url, { readOnly: true });
  try {
    const found: T[] = [];
    let count = 0;
    for (const { blob } of database.prepare('SELECT blob FROM Packages').iterate()) {
      const value = blob instanceof Uint8Array ? read(blob) : null;
      if (value !== null) found.push(value);
      if (++count % headersAtOnce === 0) await setImmediate(undefined, { signal });
    }
    return found;
  } finally {
    database.close();
  }
}
