/**
 * rebuild: makes the index anew from the bucket.
 *
 * Builds beside the one in use and takes its place only when whole. One that is interrupted goes on the next time.
 */
import type { Bucket } from './bucket/bucket.ts';
import { Failure } from './failure.ts';
import type { IndexRebuild } from './index/open-index.ts';
import { type CatchUpFrom, type CatchUpOptions, type CatchUpProgress, catchUp } from './log/catch-up.ts';

export type RebuildOptions = {
  bucket: Bucket;
  rebuild: IndexRebuild;
  /** How long the index keeps reports; null for ever. */
  retentionMs: number | null;
  onProgress: (progress: CatchUpProgress) => void;
  /** Ends it between two segments; what was built until then stays for the next time. */
  signal?: AbortSignal;
};

export type Rebuilt = {
  segments: number;
  reports: number;
  /** Segments that cannot be read, set aside. */
  corrupt: Failure[];
};

/**
 * @throws Failure UNAVAILABLE when the bucket does not answer, or is empty although the index is not. What was there
 *   is then left as it was.
 */
export async function rebuildIndex(options: RebuildOptions): Promise<Rebuilt> {
  const { bucket, rebuild, retentionMs, onProgress, signal } = options;
  const { index, wasFilled } = rebuild;
  const corrupt = new Map<string, Failure>();
  const follow = (from: CatchUpFrom, told: Pick<CatchUpOptions, 'onProgress'> = {}) =>
    catchUp({
      bucket,
      index,
      from,
      // What is set aside is told by every pass.
      onCorrupt: (failure) => corrupt.set(failure.message, failure),
      ...told,
      ...(signal ? { signal } : {}),
      ...(retentionMs === null ? {} : { notBefore: Date.now() - retentionMs }),
    });
  try {
    const { segments, reports } = await follow('start', { onProgress });
    if (wasFilled && segments === 0 && (await index.countReports(null)) === 0) {
      throw new Failure(
        'UNAVAILABLE',
        `${bucket.location} holds no reports, but the index does: correct BUCKET_URL; if the bucket is meant to be empty, delete the index`,
      );
    }
    await index.finish();
    // Which may have taken longer than an API that runs looks back once it goes over to this index.
    const meanwhile = await follow('mark');
    await rebuild.takePlace();
    return {
      segments: segments + meanwhile.segments,
      reports: reports + meanwhile.reports,
      corrupt: [...corrupt.values()],
    };
  } catch (cause) {
    await index.close();
    throw cause;
  }
}
