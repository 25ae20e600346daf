/**
 * database: what the index needs of a dialect: typed queries, and transactions that write many rows at once.
 */
import type { Kysely, RawBuilder } from 'kysely';
import {
  type ColumnOf,
  type DialectName,
  primaryKeyOf,
  type StoredUuid,
  type TableName,
  type Tables,
} from './tables.ts';
import type { Condition } from './test-condition.ts';

/** What becomes of a row whose key is there already. */
export type OnConflict<T extends TableName> =
  /** The row that is there stays. */
  | 'keep'
  /** These columns get the new row's values, and these the smaller of both. */
  | { set: readonly ColumnOf<T>[]; least?: readonly ColumnOf<T>[] };

export type Transaction = {
  query: Kysely<Tables>;
  /** Inserts rows, whose values are in the order of `columns`; as many as there are. */
  insert<T extends TableName>(
    table: T,
    columns: readonly ColumnOf<T>[],
    rows: readonly (readonly unknown[])[],
    onConflict?: OnConflict<T>,
  ): Promise<void>;
};

export type Database = {
  dialect: DialectName;
  /** For reading. */
  query: Kysely<Tables>;
  /**
   * Runs `work` in a transaction beside which no other writes: of this process, or of any on this index. All of it
   * happens, or nothing.
   */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * A condition that always holds, and ends a statement whose request was given up: for what looks through many rows.
   *
   * @param row a whole number of the row
   */
  checkpoint(row: RawBuilder<unknown>): Condition;
  toUuid(text: string): StoredUuid;
  fromUuid(stored: StoredUuid): string;
  close(): Promise<void>;
};

/** `INSERT … VALUES`'s end for rows whose key is there already. */
export function conflictClause<T extends TableName>(table: T, onConflict: OnConflict<T> | undefined): string {
  if (onConflict === undefined) return '';
  const target = ` ON CONFLICT (${primaryKeyOf(table).map(quote).join(', ')}) DO `;
  if (onConflict === 'keep') return `${target}NOTHING`;
  const set = onConflict.set.map((column) => `${quote(column)} = excluded.${quote(column)}`);
  const least = (onConflict.least ?? []).map(quote).map((column) => {
    const there = `${quote(table)}.${column}`;
    return `${column} = CASE WHEN excluded.${column} < ${there} THEN excluded.${column} ELSE ${there} END`;
  });
  return `${target}UPDATE SET ${[...set, ...least].join(', ')}`;
}

export function quote(name: string): string {
  return `"${name}"`;
}
