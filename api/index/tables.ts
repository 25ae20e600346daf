/**
 * tables: what the index consists of, declared once for both dialects.
 *
 * `Tables` is what Kysely types queries with; `createTableStatements` is the same as DDL. All of it is a view of
 * the bucket, so nothing here is ever migrated: a change raises `schemaVersion`, and the index is built anew.
 */
import type { Insertable, Selectable } from 'kysely';
import { createKeyIndexStatements } from './table-indexes.ts';

/** Raised with every change of what is stored or how it is derived. */
export const schemaVersion = 4;

/** A UUID as the dialect stores it: sixteen bytes in SQLite, text in PostgreSQL. Both sort as the text does. */
export type StoredUuid = Uint8Array | string;

type Kind = 'integer' | 'number' | 'text' | 'bytes' | 'uuid';
type Column<K extends Kind = Kind, Nullable extends boolean = boolean> = { kind: K; nullable: Nullable };

const column = <K extends Kind>(kind: K): Column<K, false> => ({ kind, nullable: false });
const nullable = <K extends Kind>(kind: K): Column<K, true> => ({ kind, nullable: true });

type Table = {
  columns: Readonly<Record<string, Column>>;
  primaryKey: readonly string[];
  /** SQLite only: rows live in the primary key itself. Not for tables whose rows are large or keys random. */
  clustered?: boolean;
};

/** Instants are milliseconds since 1970; `told_at` is the host's clock or the server's, whichever is earlier. */
const tables = {
  /** Single values: the bucket that this is a view of, where catch-up begins, who wrote last. */
  meta: {
    columns: { name: column('text'), value: column('text') },
    primaryKey: ['name'],
    clustered: true,
  },
  segments: { columns: { key: column('text') }, primaryKey: ['key'], clustered: true },
  /** Which declaration the rows of fact_values were made with. */
  plugins: {
    columns: { name: column('text'), declaration: column('text') },
    primaryKey: ['name'],
    clustered: true,
  },
  hosts: {
    columns: {
      id: column('integer'),
      uuid: column('uuid'),
      first_seen_at: column('integer'),
      last_seen_at: column('integer'),
      // The newest report by told_at, from which the rest is.
      told_at: column('integer'),
      report: column('uuid'),
      content: column('integer'),
      /** That content's, to list hosts by. */
      name: column('text'),
    },
    primaryKey: ['id'],
  },
  reports: {
    columns: {
      id: column('uuid'),
      host: column('integer'),
      collected_at: column('integer'),
      received_at: column('integer'),
      content: column('integer'),
      /**
       * JSON list without brackets: for each result its duration, then the values of its readings by its shape; at its
       * end how many reports the agent dropped, where it said so.
       */
      measured: column('text'),
    },
    primaryKey: ['id'],
  },
  /** What stays the same from one report of a host to the next, once for all of them. */
  contents: {
    columns: {
      id: column('integer'),
      host: column('integer'),
      hash: column('text'),
      name: column('text'),
    },
    primaryKey: ['id'],
  },
  /** The first of a content is what it says of the host itself. */
  content_results: {
    columns: {
      content: column('integer'),
      position: column('integer'),
      plugin: column('text'),
      version: nullable('integer'),
      status: column('text'),
      error: nullable('text'),
      /** The error without case, where that is another text. */
      folded: nullable('text'),
      fact_set: nullable('integer'),
      /** JSON of the readings with null for every value; null when there are none. */
      shape: nullable('text'),
    },
    primaryKey: ['content', 'position'],
    clustered: true,
  },
  /** What a plugin said is here once, however often and by whomever it was said. */
  fact_sets: {
    columns: {
      id: column('integer'),
      hash: column('text'),
      plugin: column('text'),
      /** Their JSON as sent; null where it is long. */
      facts: nullable('text'),
      /** The same, compressed (see facts-text.ts); null where it is short. */
      packed: nullable('bytes'),
    },
    primaryKey: ['id'],
  },
  /** An element of a long list, whichever fact sets have it (see long-lists.ts). Its values are those of `-id`. */
  elements: {
    columns: {
      id: column('integer'),
      hash: column('text'),
      /** The path of the list. */
      list: column('integer'),
    },
    primaryKey: ['id'],
  },
  /** Some elements that fact sets have together. */
  blocks: { columns: { id: column('integer'), hash: column('text') }, primaryKey: ['id'] },
  block_elements: {
    columns: { block: column('integer'), element: column('integer') },
    primaryKey: ['block', 'element'],
    clustered: true,
  },
  /** All elements of a fact set's long lists. */
  fact_set_blocks: {
    columns: { fact_set: column('integer'), block: column('integer') },
    primaryKey: ['fact_set', 'block'],
    clustered: true,
  },
  /** `plugin.field`, through lists without a position. */
  paths: { columns: { id: column('integer'), path: column('text') }, primaryKey: ['id'] },
  fact_values: {
    columns: {
      /** Below zero: an element of a long list, which is not at its fact sets. */
      fact_set: column('integer'),
      path: column('integer'),
      /** Positions in the lists on the way, such as 2.0; empty outside of lists. */
      item: column('text'),
      /** Of a list element the `item` of what the list is in; of a list a mark; of any other value null. */
      parent: nullable('text'),
      text: nullable('text'),
      /** The text without case, where that is another. */
      folded: nullable('text'),
      number: nullable('number'),
    },
    primaryKey: ['fact_set', 'path', 'item'],
    clustered: true,
  },
  /** What each plugin said last when it was successful. */
  host_plugins: {
    columns: {
      host: column('integer'),
      plugin: column('text'),
      fact_set: nullable('integer'),
      /** Where it said so; null: in the host's newest report, which spares a write for every report. */
      report: nullable('uuid'),
    },
    primaryKey: ['host', 'plugin'],
    clustered: true,
  },
  /** From when to when a host told a fact set, by told_at. */
  host_fact_sets: {
    columns: {
      host: column('integer'),
      fact_set: column('integer'),
      first_at: column('integer'),
      /** Null: its newest report tells it. */
      last_at: nullable('integer'),
    },
    primaryKey: ['host', 'fact_set'],
    clustered: true,
  },
  /** The reports at which a plugin's facts became others; null before the first, and where it told none. */
  changes: {
    columns: {
      host: column('integer'),
      plugin: column('text'),
      at: column('integer'),
      report: column('uuid'),
      before: nullable('integer'),
      after: nullable('integer'),
    },
    primaryKey: ['host', 'plugin', 'at', 'report'],
    clustered: true,
  },
  /** What is not the same in two fact sets of one plugin, for each two that a host told one after the other. */
  differences: {
    columns: {
      before: column('integer'),
      after: column('integer'),
      position: column('integer'),
      path: column('integer'),
      /** JSON list of the keys of the list elements on the way; null outside of lists. */
      keys: nullable('text'),
      /** Canonical JSON; null where there is no value. */
      before_value: nullable('text'),
      after_value: nullable('text'),
    },
    primaryKey: ['before', 'after', 'position'],
    clustered: true,
  },
} as const satisfies Record<string, Table>;

type ValueOf = { integer: number; number: number; text: string; bytes: Uint8Array; uuid: StoredUuid };
type ColumnType<C> =
  C extends Column<infer K, infer Nullable> ? ValueOf[K] | (Nullable extends true ? null : never) : never;

export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as readonly TableName[];
export type Tables = {
  [T in TableName]: {
    -readonly [C in keyof (typeof tables)[T]['columns']]: ColumnType<(typeof tables)[T]['columns'][C]>;
  };
};
export type Row<T extends TableName> = Selectable<Tables[T]>;
export type NewRow<T extends TableName> = Insertable<Tables[T]>;
export type ColumnOf<T extends TableName> = keyof Tables[T] & string;

export type DialectName = 'sqlite' | 'postgres';

const columnTypes: Record<DialectName, Record<Kind, string>> = {
  sqlite: { integer: 'INTEGER', number: 'REAL', text: 'TEXT', bytes: 'BLOB', uuid: 'BLOB' },
  // "C" is the order of the bytes, which is SQLite's; a database's own order depends on its locale.
  postgres: {
    integer: 'bigint',
    number: 'double precision',
    text: 'text COLLATE "C"',
    bytes: 'bytea',
    uuid: 'uuid',
  },
};

export function createTableStatements(dialect: DialectName): string[] {
  const created = Object.entries<Table>(tables).map(([name, { columns, primaryKey, clustered = false }]) => {
    const lines = Object.entries(columns).map(
      ([column, { kind, nullable }]) =>
        `"${column}" ${columnTypes[dialect][kind]}${nullable ? '' : ' NOT NULL'}`,
    );
    lines.push(`PRIMARY KEY (${primaryKey.map((column) => `"${column}"`).join(', ')})`);
    const options = dialect === 'sqlite' ? ` ${clustered ? 'WITHOUT ROWID, ' : ''}STRICT` : '';
    return `CREATE TABLE IF NOT EXISTS "${name}" (${lines.join(', ')})${options}`;
  });
  return [...created, ...createKeyIndexStatements()];
}

/** PostgreSQL's types of a table's columns, for arrays of values. */
export function columnTypesOf(table: TableName, columns: readonly string[]): string[] {
  const known: Readonly<Record<string, Column>> = tables[table].columns;
  return columns.map((name) => {
    const found = known[name];
    if (!found) throw new Error(`no column ${name} in ${table}`);
    return { integer: 'bigint', number: 'double precision', text: 'text', bytes: 'bytea', uuid: 'uuid' }[
      found.kind
    ];
  });
}

export function primaryKeyOf(table: TableName): readonly string[] {
  return tables[table].primaryKey;
}
