/** counted-index: reads the file of a SQLite index on this thread, and counts the statements that it takes. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { IndexReader } from '../../api/index/index-store.ts';
import { makeSqlReader } from '../../api/index/sql-index.ts';
import { openSqliteDatabase } from '../../api/index/sqlite-database.ts';
import { connectSqliteFile } from '../../api/index/sqlite-file.ts';

export type CountedIndex = { index: IndexReader; statements(): number; close(): Promise<void> };

const running = new Set<PropertyKey>(['all', 'get', 'run', 'iterate']);

export function openCountedIndex(file: string): CountedIndex {
  let count = 0;
  const counting = (statement: StatementSync) =>
    new Proxy(statement, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (running.has(name)) count += 1;
          return member.apply(target, args);
        };
      },
    });
  const db = new Proxy(connectSqliteFile(file), {
    get(target: DatabaseSync, name) {
      if (name === 'prepare') return (text: string) => counting(target.prepare(text));
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const reader = makeSqlReader(openSqliteDatabase(db));
  return { index: reader, statements: () => count, close: reader.close };
}
