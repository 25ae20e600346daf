/**
 * postgres-database: the PostgreSQL dialect, on pg.
 */
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool, types } from 'pg';
import { conflictClause, type Database, quote, type Transaction } from './database.ts';
import { cancellingPool } from './postgres-requests.ts';
import { columnTypesOf, type Tables } from './tables.ts';

/** Readers beside one writer; a small PostgreSQL allows a hundred in all. */
const maxConnections = 10;
/** A server that does not answer must not hold up the start, a request or an acknowledgement. */
const connectTimeoutMs = 5_000;
/** Rows of one statement: enough that its overhead does not count, few enough to be held as text. */
const rowsPerStatement = 5_000;
/** Names the lock that writers of one index take; the same in every version. */
const writerLock = 0x6f73696e;

export type PostgresOptions = {
  url: string;
  /** The schema that the tables are in. */
  schema: string;
  /** Told of connections that break while nobody uses them. */
  onConnectionError: (cause: Error) => void;
  /** How long a statement may take; null for as long as it takes, as that of a rebuild. */
  statementTimeoutMs: number | null;
};

export function openPostgresDatabase(options: PostgresOptions): Database {
  const { url, schema, onConnectionError, statementTimeoutMs } = options;
  const connection = {
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: 'os-inspector',
    options: `-c search_path=${schema}`,
  };
  const pool = new Pool({
    ...connection,
    max: maxConnections,
    // The server's own limit ends the work; this side's is for a server that has stopped answering.
    ...(statementTimeoutMs === null
      ? {}
      : { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + 5_000 }),
    types: {
      // Instants in milliseconds and counts: all of them exact as a number.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format as 'text'),
    },
  });
  const spare = new Pool({ ...connection, max: 1 });
  for (const each of [pool, spare]) {
    each.on('error', onConnectionError);
    // While a connection is in use the pool does not listen: whoever uses it is told, but an event nobody hears
    // would end the process.
    each.on('connect', (client) => client.on('error', () => {}));
  }
  const dialect = new PostgresDialect({ pool: cancellingPool(pool, spare) as Pool });
  const query = new Kysely<Tables>({ dialect });

  return {
    dialect: 'postgres',
    query,
    write: (work) =>
      query.transaction().execute(async (connection) => {
        // Until the end of the transaction; a connection that dies gives it back.
        await sql`SELECT pg_advisory_xact_lock(${writerLock}, hashtext(current_schema()))`.execute(
          connection,
        );
        return work(transactionOn(connection));
      }),
    toUuid: (text) => text,
    fromUuid: String,
    // The server is told directly (see postgres-requests.ts).
    checkpoint: () => sql`1 = 1`,
    close: () => query.destroy(),
  };
}

function transactionOn(query: Kysely<Tables>): Transaction {
  return {
    query,
    async insert(table, columns, rows, onConflict) {
      const types = columnTypesOf(table, columns);
      const names = columns.map(quote).join(', ');
      const end = conflictClause(table, onConflict);
      for (let from = 0; from < rows.length; from += rowsPerStatement) {
        const part = rows.slice(from, from + rowsPerStatement);
        const arrays = types.map(
          (type, index) => sql`${part.map((row) => row[index] ?? null)}::${sql.raw(type)}[]`,
        );
        await sql`INSERT INTO ${sql.raw(quote(table))} (${sql.raw(names)})
          SELECT * FROM unnest(${sql.join(arrays)})${sql.raw(end)}`.execute(query);
      }
    },
  };
}
