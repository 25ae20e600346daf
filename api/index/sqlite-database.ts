/**
 * sqlite-database: the SQLite dialect, on node:sqlite. Answers on the calling thread.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { conflictClause, type Database, quote, type Transaction } from './database.ts';
import type { StoredUuid, Tables } from './tables.ts';

/** Statements are few but for filters, of which each is another text. */
const maxPrepared = 500;
const stillWanted = 'still_wanted';
/** A power of two. A check takes 80 ns and to see whether it is time for one 20: of a count that is 30 % either way. */
const rowsBetweenChecks = 16;

/** What a statement ends with that nobody wants any more. */
const cancelled = new Error('the request was given up');

/** @param isWanted false once whoever asked for the statement under way has given up */
export function openSqliteDatabase(db: DatabaseSync, isWanted: () => boolean = () => true): Database {
  const check = () => {
    if (!isWanted()) throw cancelled;
    return 1;
  };
  // SQLite itself is not interrupted from outside in Node, but what it calls may throw.
  db.function(stillWanted, check);
  const prepared = new Map<string, StatementSync>();
  function prepare(text: string): StatementSync {
    const known = prepared.get(text);
    if (known) return known;
    if (prepared.size >= maxPrepared) prepared.clear();
    const statement = db.prepare(text);
    prepared.set(text, statement);
    return statement;
  }

  const query = new Kysely<Tables>({
    dialect: new SqliteDialect({
      database: {
        close: () => db.close(),
        prepare(text) {
          const statement = prepare(text);
          const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => {
              check();
              return statement.all(...values(parameters));
            },
            run: (parameters) => statement.run(...values(parameters)),
            iterate: (parameters) => statement.iterate(...values(parameters)),
          };
        },
      },
    }),
  });

  const transaction: Transaction = {
    query,
    async insert(table, columns, rows, onConflict) {
      const names = columns.map(quote).join(', ');
      const values = columns.map(() => '?').join(', ');
      const end = conflictClause(table, onConflict);
      const statement = prepare(`INSERT INTO ${quote(table)} (${names}) VALUES (${values})${end}`);
      for (const row of rows) statement.run(...(row as SQLInputValue[]));
    },
  };

  let last: Promise<unknown> = Promise.resolve();
  return {
    dialect: 'sqlite',
    query,
    write(work) {
      // One after another: they share the connection. Other processes are kept out by SQLite itself.
      const written = last.then(async () => {
        db.exec('BEGIN IMMEDIATE');
        try {
          const result = await work(transaction);
          db.exec('COMMIT');
          return result;
        } catch (cause) {
          // After some errors, such as a full disk, SQLite has rolled back already.
          if (db.isTransaction) db.exec('ROLLBACK');
          throw cause;
        }
      });
      last = written.catch(() => {});
      return written;
    },
    toUuid: (text) => Buffer.from(text.replaceAll('-', ''), 'hex'),
    fromUuid: textOfUuid,
    checkpoint: (row) =>
      sql`((${row} & ${sql.lit(rowsBetweenChecks - 1)}) <> 0 OR ${sql.raw(stillWanted)}())`,
    close: async () => {
      await last;
      prepared.clear();
      db.close();
    },
  };
}

function textOfUuid(stored: StoredUuid): string {
  const hex = Buffer.from(stored as Uint8Array).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
