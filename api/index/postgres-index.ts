/**
 * postgres-index: the index in a PostgreSQL that several API processes share.
 *
 * In a schema of its own that carries the version of the tables in its name, so that during an upgrade the processes of
 * either version keep theirs.
 */
import { type Kysely, sql } from 'kysely';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { Failure } from '../failure.ts';
import type { Database } from './database.ts';
import type { BuildingIndex, IndexStore } from './index-store.ts';
import type { Announce } from './index-writer.ts';
import { openPostgresDatabase } from './postgres-database.ts';
import { toPostgresFailure } from './postgres-failure.ts';
import { makePostgresListener, toPayloads } from './postgres-listener.ts';
import { inRequest } from './postgres-requests.ts';
import { askReader, readerOf } from './reader-methods.ts';
import { failingAs, type IndexMode, openSqlIndex, takingSegments } from './sql-index.ts';
import { createTableStatements, type StoredUuid, schemaVersion, type Tables, tableNames } from './tables.ts';

export type PostgresIndexOptions = {
  url: string;
  /** Where the bucket is that this is a view of. */
  bucket: string;
  /** Those whose facts can be filtered by. */
  plugins: readonly AnyPlugin[];
  /** Of a list from which on its elements are shared. @default defaultLongListLength */
  longListLength?: number | undefined;
  /** Told of connections that break while nobody uses them. */
  onConnectionError?: (cause: Error) => void;
};

const schema = `os_inspector_v${schemaVersion}`;
const buildingSchema = `${schema}_building`;
/** Nobody waits longer for an answer, and catch-up does what an apply that was cut off did not. */
const liveStatementTimeoutMs = 60_000;

/**
 * @throws Failure INVALID when the database holds the index of another bucket
 * @throws Failure UNAVAILABLE when it does not answer
 */
export async function openPostgresIndex(options: PostgresIndexOptions): Promise<IndexStore> {
  const { index, database } = await open(options, schema, 'live');
  const { url, onConnectionError = () => {} } = options;
  const listener = makePostgresListener({
    url,
    channel: schema,
    onConnectionError,
    receivedSince: (at) => receivedSince(database, at),
  });
  const store = failingAs(
    { ...takingSegments(index, 'live'), onReports: listener.onReports },
    toPostgresFailure,
  );
  return {
    ...store,
    forRequest: (signal) =>
      readerOf(async (method, args) => {
        try {
          return await inRequest(signal, () => askReader(index, method, args));
        } catch (cause) {
          throw signal.aborted ? signal.reason : toPostgresFailure(cause);
        }
      }),
    refresh: async () => {},
    async close() {
      await listener.close();
      await store.close();
    },
  };
}

/** Of one statement. */
const receivedAtOnce = 10_000;

/** Ids of the reports received since an instant, the oldest first. */
async function* receivedSince({ query, fromUuid }: Database, at: number): AsyncGenerator<string[]> {
  let last: { id: StoredUuid; received_at: number } | undefined;
  do {
    const after = last;
    const rows = await query
      .selectFrom('reports')
      .select(['id', 'received_at'])
      .where('received_at', '>=', after?.received_at ?? at)
      .$if(after !== undefined, (rest) =>
        rest.where(sql<boolean>`(received_at, id) > (${after?.received_at}, ${after?.id})`),
      )
      .orderBy('received_at')
      .orderBy('id')
      .limit(receivedAtOnce)
      .execute();
    yield rows.map(({ id }) => fromUuid(id));
    last = rows.length === receivedAtOnce ? rows.at(-1) : undefined;
  } while (last);
}

/** Heard by the others when the transaction is committed. */
const announce: Announce = async ({ query }, news) => {
  for (const payload of toPayloads(news)) await sql`SELECT pg_notify(${schema}, ${payload})`.execute(query);
};

export type PostgresRebuild = {
  index: BuildingIndex;
  /** Puts it in the place of the one in use, for all that are connected at once. */
  takePlace(): Promise<void>;
};

/** Opens an index beside the one in use; one that an interrupted rebuild left there goes on. */
export async function openPostgresRebuild(options: PostgresIndexOptions): Promise<PostgresRebuild> {
  const { index, database } = await open(options, buildingSchema, 'bulk').catch(async (cause) => {
    if (!(cause instanceof Failure && cause.kind === 'INVALID')) throw cause;
    // Left by a rebuild from another bucket.
    await dropSchema(options, buildingSchema);
    return open(options, buildingSchema, 'bulk');
  });
  return {
    index: failingAs(
      {
        ...takingSegments(index, 'bulk'),
        async finish() {
          await index.finish();
          // Without it the server would plan the first questions for tables that it knows nothing of.
          for (const table of tableNames)
            await sql`ANALYZE ${sql.table(`${buildingSchema}.${table}`)}`.execute(database.query);
        },
      },
      toPostgresFailure,
    ),
    async takePlace() {
      await database.query.transaction().execute(async (transaction) => {
        await sql`DROP SCHEMA IF EXISTS ${sql.raw(schema)} CASCADE`.execute(transaction);
        await sql`ALTER SCHEMA ${sql.raw(buildingSchema)} RENAME TO ${sql.raw(schema)}`.execute(transaction);
      });
      await database.close();
    },
  };
}

/** Whether the index in use was ever filled. */
export async function hasPostgresSegments(options: PostgresIndexOptions): Promise<boolean> {
  const database = connect(options, schema, 'bulk');
  try {
    if (!(await hasTable(database.query, `${schema}.segments`))) return false;
    return (await database.query.selectFrom('segments').select('key').limit(1).execute()).length > 0;
  } catch (cause) {
    throw toPostgresFailure(cause);
  } finally {
    await database.close();
  }
}

async function hasTable(query: Kysely<Tables>, name: string): Promise<boolean> {
  const { rows } = await sql<{ found: string | null }>`SELECT to_regclass(${name}) AS found`.execute(query);
  return (rows[0]?.found ?? null) !== null;
}

async function open(options: PostgresIndexOptions, name: string, mode: IndexMode) {
  const database = connect(options, name, mode);
  try {
    await prepareSchema(database, name, options.bucket);
    const declarations = options.plugins.map(({ name: plugin, facts }) => ({ name: plugin, facts }));
    return {
      database,
      index: await openSqlIndex(database, declarations, mode, {
        longListLength: options.longListLength,
        ...(mode === 'live' ? { announce } : {}),
      }),
    };
  } catch (cause) {
    await database.close();
    throw toPostgresFailure(cause);
  }
}

function connect(
  { url, onConnectionError = () => {} }: PostgresIndexOptions,
  name: string,
  mode: IndexMode,
): Database {
  return openPostgresDatabase({
    url,
    schema: name,
    onConnectionError,
    statementTimeoutMs: mode === 'live' ? liveStatementTimeoutMs : null,
  });
}

async function dropSchema(options: PostgresIndexOptions, name: string): Promise<void> {
  const database = connect(options, name, 'bulk');
  try {
    await sql`DROP SCHEMA IF EXISTS ${sql.raw(name)} CASCADE`.execute(database.query);
  } finally {
    await database.close();
  }
}

/** Several processes may start at once: one after another. */
async function prepareSchema({ query }: Database, name: string, bucket: string): Promise<void> {
  const found = await query.transaction().execute(async (transaction) => {
    await sql`SELECT pg_advisory_xact_lock(hashtext(${name}))`.execute(transaction);
    if (!(await hasTable(transaction, `${name}.meta`))) {
      // Only then: where others write, asking for what is there already would lock it, and deadlock with them.
      await sql`CREATE SCHEMA IF NOT EXISTS ${sql.raw(name)}`.execute(transaction);
      for (const statement of createTableStatements('postgres'))
        await sql.raw(statement).execute(transaction);
    }
    await transaction
      .insertInto('meta')
      .values({ name: 'bucket', value: bucket })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return transaction
      .selectFrom('meta')
      .select('value')
      .where('name', '=', 'bucket')
      .executeTakeFirstOrThrow();
  });
  if (found.value === bucket) return;
  throw new Failure(
    'INVALID',
    `this PostgreSQL database holds the index of ${found.value}, not of ${bucket}: give each bucket a database of its own, or run os-inspector-api rebuild to replace it`,
  );
}
