/**
 * rebuild: makes the index anew from the bucket.
 *
 * Builds beside the old file and takes its place only when whole, so that a rebuild that fails half
 * way leaves what was there.
 */
import { renameSync } from 'node:fs';
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { BucketReader } from './bucket/bucket.ts';
import type { Failure } from './failure.ts';
import { openSqliteIndex } from './index/sqlite-index.ts';
import { deleteSqliteFile } from './index/sqlite-schema.ts';
import { type CatchUpProgress, catchUp } from './log/catch-up.ts';

export type RebuildOptions = {
  bucket: BucketReader;
  file: string;
  plugins: readonly AnyPlugin[];
  /** Takes lines of progress. */
  write: (text: string) => void;
};

/** A line of progress for about this many segments. */
const progressEvery = 1000;

/** @throws Failure UNAVAILABLE when the bucket does not answer; the old index is then left as it was */
export async function rebuild({ bucket, file, plugins, write }: RebuildOptions) {
  const building = `${file}.building`;
  deleteSqliteFile(building);
  const index = openSqliteIndex({ file: building, plugins });
  const corrupt: Failure[] = [];
  let progress: CatchUpProgress;
  try {
    progress = await catchUp({
      bucket,
      index,
      whole: true,
      onCorrupt: (failure) => corrupt.push(failure),
      onProgress: ({ segments, reports }) => {
        if (segments % progressEvery === 0) write(`${segments} segments, ${reports} reports\n`);
      },
    });
  } catch (cause) {
    index.close();
    deleteSqliteFile(building);
    throw cause;
  }
  // Closing writes the journal back into the file, so that the file alone is the whole index.
  index.close();
  deleteSqliteFile(file);
  renameSync(building, file);
  return { ...progress, corrupt };
}
