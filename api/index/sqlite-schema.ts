/**
 * sqlite-schema: the tables of the SQLite index, and opening a file that may be old or damaged.
 *
 * The file is a view of the bucket, so one of ours that does not fit is deleted, never repaired.
 */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';

/** Raised with every change below: an index of another version is built anew from the bucket. */
const schemaVersion = 1;
/** Marks a file as ours ("osin" in ASCII): any other is never touched. */
const applicationId = 0x6f73696e;
/** Short, because SQLite waits on the thread that answers everything else as well. */
const busyTimeoutMs = 1_000;

const tables = `
  CREATE TABLE segments (key TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;
  -- One row: the bucket that this is a view of.
  CREATE TABLE origin (bucket TEXT NOT NULL) STRICT;
  -- One row: where the next catch-up begins.
  CREATE TABLE catch_up (only INTEGER PRIMARY KEY CHECK (only = 1), mark TEXT NOT NULL) STRICT;

  -- Which declaration the rows of fact_values were made with.
  CREATE TABLE plugins (name TEXT PRIMARY KEY, declaration TEXT NOT NULL) WITHOUT ROWID, STRICT;

  CREATE TABLE hosts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    labels TEXT NOT NULL,
    agent_version TEXT,
    interval_seconds REAL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    -- The report that name, labels, agent version and interval are from.
    newest_told_at INTEGER NOT NULL,
    newest_report TEXT NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX hosts_by_name ON hosts (name, id);
  CREATE INDEX hosts_by_first_seen ON hosts (first_seen_at, id);
  CREATE INDEX hosts_by_last_seen ON hosts (last_seen_at, id);

  CREATE TABLE reports (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    host_id TEXT NOT NULL,
    agent_version TEXT,
    collected_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX reports_by_collected ON reports (collected_at, id);
  CREATE INDEX reports_by_received ON reports (received_at, id);
  CREATE INDEX reports_by_host ON reports (host_id, collected_at, id);

  -- Content-addressed: what a plugin said is here once, however often it was said.
  CREATE TABLE fact_sets (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    plugin TEXT NOT NULL,
    facts TEXT NOT NULL
  ) STRICT;
  CREATE INDEX fact_sets_by_plugin ON fact_sets (plugin);

  CREATE TABLE fact_values (
    fact_set INTEGER NOT NULL,
    path TEXT NOT NULL,
    item TEXT NOT NULL,
    parent TEXT,
    text TEXT,
    number REAL,
    PRIMARY KEY (fact_set, path, item)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX fact_values_by_text ON fact_values (path, text) WHERE text IS NOT NULL;
  CREATE INDEX fact_values_by_number ON fact_values (path, number) WHERE number IS NOT NULL;

  CREATE TABLE results (
    report INTEGER NOT NULL,
    position INTEGER NOT NULL,
    plugin TEXT NOT NULL,
    version INTEGER,
    status TEXT NOT NULL,
    duration_ms REAL,
    error TEXT,
    fact_set INTEGER,
    readings TEXT,
    PRIMARY KEY (report, position)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX results_by_fact_set ON results (fact_set, report);

  -- The newest successful result of each plugin on each host. told_at, here and above, is the host's clock
  -- or the server's, whichever is earlier.
  CREATE TABLE latest_results (
    host_id TEXT NOT NULL,
    plugin TEXT NOT NULL,
    told_at INTEGER NOT NULL,
    report_id TEXT NOT NULL,
    report INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (host_id, plugin)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX latest_results_by_report ON latest_results (report, position);
`;

export type OpenedFile = {
  db: DatabaseSync;
  /** Why what was there before was thrown away; null when nothing was. */
  discarded: string | null;
};

/**
 * Opens the file, which is made when missing, and made anew when it is ours and damaged, of another version, or
 * a view of another bucket: what is not in this one must not count as kept.
 *
 * @param bucket where the bucket is that this is to be a view of
 * @throws Failure INVALID when the file is something else: it is left as it is
 */
export function openSqliteFile(file: string, bucket: string): OpenedFile {
  mkdirSync(dirname(file), { recursive: true });
  try {
    const found = inspect(file, bucket);
    if (found === 'usable') return { db: connect(file), discarded: null };
    if (found !== null) deleteSqliteFile(file);
    return { db: create(file, bucket), discarded: found };
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
    const origin = db.prepare('SELECT bucket FROM origin').get()?.bucket;
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

function create(file: string, bucket: string): DatabaseSync {
  const db = connect(file);
  // Another process may be making it at this moment: whoever comes second finds it made.
  db.exec('BEGIN IMMEDIATE');
  if (pragma(db, 'user_version').user_version === 0) {
    db.exec(`${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
    db.prepare('INSERT INTO origin VALUES (?)').run(bucket);
  }
  db.exec('COMMIT');
  return db;
}

/**
 * Deletes an index, and what SQLite keeps beside it.
 *
 * @throws Failure INVALID when the file is something else
 */
export function deleteSqliteIndex(file: string): void {
  inspect(file);
  deleteSqliteFile(file);
}

/** Whether the file is an index that was ever filled. */
export function hasSegments(file: string): boolean {
  if (inspect(file) !== 'usable') return false;
  const db = connect(file);
  try {
    return db.prepare('SELECT 1 FROM segments LIMIT 1').get() !== undefined;
  } finally {
    db.close();
  }
}

function deleteSqliteFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

function connect(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    // A crash may cost the last transactions, never the file's integrity; catch-up brings them back.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

function pragma(db: DatabaseSync, name: string): Record<string, unknown> {
  return db.prepare(`PRAGMA ${name}`).get() ?? {};
}

/** SQLite's own numbers, the low byte of what it reports. */
const corrupt = 11;
const notADatabase = 26;

function isErrorOf(cause: unknown, number: number): boolean {
  return cause instanceof Error && 'errcode' in cause && (Number(cause.errcode) & 0xff) === number;
}
