/**
 * rebuild: makes the index anew from the bucket.
 *
 * Builds beside the old file and takes its place only when whole, so that a rebuild that fails half
 * way leaves what was there.
 */
import { renameSync } from 'node:fs';
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { Bucket } from './bucket/bucket.ts';
import { Failure } from './failure.ts';
import { openSqliteIndex } from './index/sqlite-index.ts';
import { deleteSqliteIndex, hasSegments } from './index/sqlite-schema.ts';
import { type CatchUpProgress, catchUp } from './log/catch-up.ts';

export type RebuildOptions = {
  bucket: Bucket;
  file: string;
  plugins: readonly AnyPlugin[];
  /** Takes lines of progress. */
  write: (text: string) => void;
};

/** A line of progress for about this many segments. */
const progressEvery = 1000;

/**
 * @throws Failure UNAVAILABLE when the bucket does not answer, or is empty although the index is not; INVALID when
 *   the file is no index. What was there is then left as it was.
 */
export async function rebuild({ bucket, file, plugins, write }: RebuildOptions) {
  const building = `${file}.building`;
  // First, as it also tells a file that is no index, before an hour is spent.
  const wasFilled = hasSegments(file);
  deleteSqliteIndex(building);
  const index = openSqliteIndex({ file: building, bucket: bucket.location, plugins });
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
    deleteSqliteIndex(building);
    throw cause;
  }
  // Closing writes the journal back into the file, so that the file alone is the whole index.
  index.close();
  if (progress.segments === 0 && wasFilled) {
    deleteSqliteIndex(building);
    throw new Failure(
      'UNAVAILABLE',
      `${bucket.location} holds no reports, but the index ${file} does: correct BUCKET_URL; if the bucket is meant to be empty, delete that file`,
    );
  }
  deleteSqliteIndex(file);
  renameSync(building, file);
  return { ...progress, corrupt };
}
