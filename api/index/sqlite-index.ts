/**
 * sqlite-index: the index embedded in the API: a file, and threads of its own that write and read it.
 */
import { renameSync, statSync } from 'node:fs';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { makeAnnouncements } from './announcements.ts';
import type { BuildingIndex, IndexStore } from './index-store.ts';
import { askReader, readerOf } from './reader-methods.ts';
import { type IndexMode, takingSegments } from './sql-index.ts';
import { deleteSqliteJournal, prepareSqliteFile } from './sqlite-file.ts';
import { openSqliteThreads } from './sqlite-threads.ts';

export type SqliteIndexOptions = {
  file: string;
  /** Where the bucket is that this is a view of. */
  bucket: string;
  /** Those whose facts can be filtered by. */
  plugins: readonly AnyPlugin[];
  /** Of a list from which on its elements are shared. @default defaultLongListLength */
  longListLength?: number | undefined;
  /** Told when a file was there that could not be used and was deleted. */
  onDiscard?: (reason: string) => void;
};

/**
 * @throws Failure INVALID when the file is something else: it is left as it is
 * @throws Failure UNAVAILABLE when it cannot be opened
 */
export async function openSqliteIndex(options: SqliteIndexOptions): Promise<IndexStore> {
  const announcements = makeAnnouncements();
  let current = await open();

  async function open() {
    const { file, bucket, onDiscard } = options;
    const discarded = prepareSqliteFile(file, bucket);
    if (discarded) onDiscard?.(discarded);
    const identity = identityOf(file);
    const threads = await openThreads(file, options, 'live');
    return { identity, threads, index: takingSegments(threads, 'live', announcements.tell) };
  }

  return {
    ...readerOf((method, args) => askReader(current.index, method, args)),
    forRequest: (signal) =>
      readerOf((method, args) => askReader(current.threads.forRequest(signal), method, args)),
    onReports: announcements.onReports,
    apply: (segments) => current.index.apply(segments),
    appliedOf: (keys) => current.index.appliedOf(keys),
    mark: () => current.index.mark(),
    setMark: (mark) => current.index.setMark(mark),
    replaced: (parts, sources) => current.index.replaced(parts, sources),
    forget: (before) => current.index.forget(before),
    async refresh() {
      // A rebuild has renamed its file to this name, or somebody has deleted it to have it built anew.
      if (identityOf(options.file) === current.identity) return;
      const before = current.index;
      current = await open();
      await before.close();
    },
    close: () => current.index.close(),
  };
}

export type SqliteRebuild = {
  index: BuildingIndex;
  /** Puts it in the place of the one in use, which an API that runs goes on answering from until it refreshes. */
  takePlace(): Promise<void>;
};

/** Opens an index beside the file; one that an interrupted rebuild left there goes on. */
export async function openSqliteRebuild(
  options: Omit<SqliteIndexOptions, 'onDiscard'>,
): Promise<SqliteRebuild> {
  const { file, bucket } = options;
  const building = `${file}.building`;
  prepareSqliteFile(building, bucket);
  const index = await openThreads(building, options, 'bulk');
  return {
    index: { ...takingSegments(index, 'bulk'), finish: index.finish },
    async takePlace() {
      // Closing writes the journal back into the file, so that the file alone is the whole index.
      await index.close();
      // A new file must not be read with the old one's journal. Who has that open goes on with it, unnamed.
      deleteSqliteJournal(file);
      renameSync(building, file);
    },
  };
}

function openThreads(
  file: string,
  { plugins, longListLength }: Pick<SqliteIndexOptions, 'plugins' | 'longListLength'>,
  mode: IndexMode,
) {
  const declarations = plugins.map(({ name, facts }) => ({ name, facts }));
  return openSqliteThreads(file, { declarations, mode, longListLength });
}

/** Tells one file from another of the same name; null when there is none. */
function identityOf(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : null;
}
