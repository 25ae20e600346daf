/**
 * sqlite-schema: the tables of the SQLite index, and opening a file that may be old or damaged.
 *
 * The file is a view of the bucket, so one that does not fit is deleted, never repaired.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../plugins/message-of.ts';

/** Raised with every change below: an index of another version is built anew from the bucket. */
const schemaVersion = 1;

const tables = `
  CREATE TABLE segments (key TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;

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
    newest_collected_at INTEGER NOT NULL,
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

  -- The newest successful result of each plugin on each host, by the host's clock.
  CREATE TABLE latest_results (
    host_id TEXT NOT NULL,
    plugin TEXT NOT NULL,
    collected_at INTEGER NOT NULL,
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

/** Opens the file, which is made when missing, and made anew when it is damaged or of another version. */
export function openSqliteFile(file: string): OpenedFile {
  mkdirSync(dirname(file), { recursive: true });
  let discarded: string | null = null;
  if (existsSync(file)) {
    try {
      const db = connect(file);
      const { user_version: found } = db.prepare('PRAGMA user_version').get() as { user_version: number };
      if (found === schemaVersion) return { db, discarded };
      db.close();
      discarded = `it is of version ${found}, this program's is ${schemaVersion}`;
    } catch (cause) {
      discarded = messageOf(cause);
    }
    deleteSqliteFile(file);
  }
  const db = connect(file);
  db.exec(`BEGIN; ${tables} PRAGMA user_version = ${schemaVersion}; COMMIT`);
  return { db, discarded };
}

/** Deletes the index and what SQLite keeps beside it. */
export function deleteSqliteFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

function connect(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    // A crash may cost the last transactions, never the file's integrity; catch-up brings them back.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000');
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}
