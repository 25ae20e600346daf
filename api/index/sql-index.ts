/**
 * sql-index: the index in a database of either dialect.
 *
 * Takes digests instead of segments, so that it can be in another thread than the one that parsed the reports.
 */
import { sql } from 'kysely';
import type { SegmentSink } from '../log/catch-up.ts';
import type { Database } from './database.ts';
import { followDeclarations } from './declarations.ts';
import { type Digest, makeDigester } from './digest.ts';
import type { Declaration } from './flatten.ts';
import { makeIndexReader } from './index-reader.ts';
import type { IndexReader, IndexStore } from './index-store.ts';
import { type Applied, appliedOf, makeIndexWriter, type WriterOptions } from './index-writer.ts';
import { forgetReports } from './retention.ts';
import { createQueryIndexStatements } from './table-indexes.ts';

export type SqlIndex = IndexReader &
  Omit<SegmentSink, 'apply'> & {
    /** Null when the digest leaves out what the index does not have: then nothing was applied. */
    apply(digest: Digest): Promise<Applied | null>;
    forget(before: number): Promise<number>;
    /** Makes what only questions need: for an index that was opened for bulk. */
    finish(): Promise<void>;
    close(): Promise<void>;
  };

/**
 * live: answers while it takes reports. bulk: only takes them, and makes the indexes for questions at its end, which
 * is faster than keeping them up to date.
 */
export type IndexMode = 'live' | 'bulk';

/** @param declarations those whose facts can be filtered by */
export async function openSqlIndex(
  database: Database,
  declarations: readonly Declaration[],
  mode: IndexMode,
  options?: WriterOptions,
): Promise<SqlIndex> {
  const byName = new Map(declarations.map((declaration) => [declaration.name, declaration]));
  const writer = makeIndexWriter(database, byName, options);
  const finish = async () => {
    const isMade = async ({ query }: Pick<Database, 'query'>) => {
      const made = await query.selectFrom('meta').select('value').where('name', '=', 'finished').execute();
      return made.length > 0;
    };
    // Where others write, asking for what is there already would wait for them.
    if (await isMade(database)) return;
    await writer.change(async (transaction) => {
      // Several may start at once on an index that is new.
      if (await isMade(transaction)) return;
      for (const statement of createQueryIndexStatements())
        await sql.raw(statement).execute(transaction.query);
      await transaction.insert('meta', ['name', 'value'], [['finished', 'true']], 'keep');
    });
  };
  if (mode === 'live') await finish();
  await followDeclarations(writer, byName, mode);
  return {
    ...makeSqlReader(database),
    apply: writer.apply,
    replaced: writer.replaced,
    setMark: (mark) =>
      writer.change(async ({ insert }) => {
        await insert('meta', ['name', 'value'], [['mark', mark]], { set: ['value'] });
      }),
    forget: (before) => forgetReports(database, writer, before),
    finish,
  };
}

export type SqlReader = Omit<SqlIndex, 'apply' | 'replaced' | 'setMark' | 'forget' | 'finish'>;

/** The part that only reads. */
export function makeSqlReader(database: Database): SqlReader {
  return {
    ...makeIndexReader(database),
    appliedOf: (keys) => appliedOf(database, keys),
    async mark() {
      const { query } = database;
      const found = await query
        .selectFrom('meta')
        .select('value')
        .where('name', '=', 'mark')
        .executeTakeFirst();
      return found?.value ?? null;
    },
    close: database.close,
  };
}

/** Hosts whose stored lines are recognised: a rebuild may take some hundred megabytes, an API should not. */
const maxTemplates: Record<IndexMode, number> = { live: 2_000, bulk: 50_000 };

/** The index that takes segments: parts them here, and hands on what is left to do. */
export function takingSegments(
  index: SqlIndex,
  mode: IndexMode,
  onNews: (reportIds: readonly string[]) => void = () => {},
): Omit<IndexStore, 'refresh' | 'onReports' | 'forRequest'> {
  const { digest, delivered } = makeDigester(maxTemplates[mode]);
  return {
    ...index,
    async apply(segments) {
      const parted = digest(segments, 'new');
      const applied = await index.apply(parted);
      if (applied) {
        delivered(parted);
        onNews(applied.news);
        return;
      }
      // It has forgotten some of what was delivered, or is another index than it was.
      const whole = digest(segments, 'all');
      const again = await index.apply(whole);
      if (!again) throw new Error('a whole digest lacks nothing');
      delivered(whole);
      onNews(again.news);
    },
  };
}

/** The same index, whose errors are what `toFailure` makes of them. */
export function failingAs<Index extends object>(index: Index, toFailure: (cause: unknown) => unknown): Index {
  return Object.fromEntries(
    Object.entries(index).map(([name, method]) => [
      name,
      async (...args: unknown[]) => {
        try {
          return await method(...args);
        } catch (cause) {
          throw toFailure(cause);
        }
      },
    ]),
  ) as Index;
}
