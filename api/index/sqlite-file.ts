/**
 * sqlite-file: opens the file of the SQLite index, which may be missing, old, damaged or not ours.
 *
 * The file is a view of the bucket, so one of ours that does not fit is deleted, never repaired.
 */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';
import { createTableStatements, schemaVersion } from './tables.ts';

/** Marks a file as ours ("osin" in ASCII): any other is never touched. */
const applicationId = 0x6f73696e;
/** Another process, a rebuild or a second API, may be writing for a moment. */
const busyTimeoutMs = 5_000;
/** For each connection; the operating system caches the file as well. */
const cacheKiB = 4 * 1024;
/** Of 4 KiB: pages written again and again, such as those of the hosts, go into the file once for many times. */
const checkpointPages = 8_000;

/**
 * Makes sure that the file is a whole index: made when missing, and made anew when it is ours and damaged, of another
 * version, or a view of another bucket: what is not in this one must not count as kept.
 *
 * @param bucket where the bucket is that this is to be a view of
 * @returns why what was there before was thrown away; null when nothing was
 * @throws Failure INVALID when the file is something else: it is left as it is
 */
export function prepareSqliteFile(file: string, bucket: string): string | null {
  mkdirSync(dirname(file), { recursive: true });
  try {
    const found = inspect(file, bucket);
    if (found === 'usable') return null;
    if (found !== null) deleteSqliteFile(file);
    create(file, bucket);
    return found;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('UNAVAILABLE', `cannot open the index ${file}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * What the file is: usable, null when there is none or an empty one, or why it has to be made anew.
 *
 * @throws Failure INVALID when it is not an index of ours
 */
function inspect(file: string, bucket?: string): 'usable' | string | null {
  if (!existsSync(file) || statSync(file).size === 0) return null;
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    const { application_id: id } = pragma(db, 'application_id');
    const { user_version: version } = pragma(db, 'user_version');
    if (id !== applicationId) throw foreign(file);
    if (version !== schemaVersion) return `it is of version ${version}, this program's is ${schemaVersion}`;
    // Reads the pages that hold the tables' definitions; damage further in shows when it is met.
    const origin = db.prepare("SELECT value FROM meta WHERE name = 'bucket'").get()?.value;
    if (bucket !== undefined && origin !== bucket) return `it is a view of ${origin}, not of ${bucket}`;
    return 'usable';
  } catch (cause) {
    if (isErrorOf(cause, corrupt)) return messageOf(cause);
    if (isErrorOf(cause, notADatabase)) throw foreign(file);
    throw cause;
  } finally {
    db.close();
  }
}

function foreign(file: string): Failure {
  return new Failure(
    'INVALID',
    `${file} is not an index of os-inspector, and is left as it is: correct INDEX_URL, or delete the file`,
  );
}

function create(file: string, bucket: string): void {
  const db = connectSqliteFile(file);
  // Another process may be making it at this moment: whoever comes second finds it made.
  db.exec('BEGIN IMMEDIATE');
  if (pragma(db, 'user_version').user_version === 0) {
    for (const statement of createTableStatements('sqlite')) db.exec(statement);
    db.prepare("INSERT INTO meta VALUES ('bucket', ?)").run(bucket);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
  }
  db.exec('COMMIT');
  db.close();
}

/**
 * Whether the file is an index that was ever filled.
 *
 * @throws Failure INVALID when the file is something else
 */
export function hasSegments(file: string): boolean {
  if (inspect(file) !== 'usable') return false;
  const db = connectSqliteFile(file);
  try {
    return db.prepare('SELECT 1 FROM segments LIMIT 1').get() !== undefined;
  } finally {
    db.close();
  }
}

function deleteSqliteFile(file: string): void {
  rmSync(file, { force: true });
  deleteSqliteJournal(file);
}

/** What SQLite keeps beside a file. */
export function deleteSqliteJournal(file: string): void {
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
}

/** A connection of its own to a file that was prepared. */
export function connectSqliteFile(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    // A crash may cost the last transactions, never the file's integrity; catch-up brings them back.
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${cacheKiB};
      PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** What the operator or time can mend, as a Failure; anything else, which is a bug, as it is. */
export function toSqliteFailure(cause: unknown): unknown {
  const reason = Object.entries(mendable).find(([number]) => isErrorOf(cause, Number(number)));
  if (!reason) return cause;
  return new Failure('UNAVAILABLE', `the index does not answer: ${reason[1]} (${messageOf(cause)})`, {
    cause,
  });
}

function pragma(db: DatabaseSync, name: string): Record<string, unknown> {
  return db.prepare(`PRAGMA ${name}`).get() ?? {};
}

/** SQLite's own numbers, the low byte of what it reports. */
const corrupt = 11;
const notADatabase = 26;
const mendable = {
  5: 'another process holds it',
  8: 'it may not be written',
  10: 'its file cannot be read or written',
  13: 'the disk is full',
  14: 'its file cannot be opened',
  [corrupt]: 'its file is damaged: delete it, and it is built anew from the bucket',
};

function isErrorOf(cause: unknown, number: number): boolean {
  return cause instanceof Error && 'errcode' in cause && (Number(cause.errcode) & 0xff) === number;
}
