/**
 * catch-up: brings the index up to what the bucket holds.
 *
 * Runs on start, every minute, and from nothing as the rebuild. Applying is idempotent, so that it
 * may read what is there already, and other API processes may write to the same bucket.
 */
import type { BucketReader } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { decodeSegment, type Segment } from './segment.ts';
import { isSegmentKey, segmentFolder, segmentPrefix } from './segment-key.ts';

/** The part of an index that catch-up fills. */
export type SegmentSink = {
  apply(segment: Segment): Promise<void>;
  /** Those of the given keys that were applied before. */
  appliedOf(keys: readonly string[]): Promise<Set<string>>;
  /** The last key in order that was applied; null when none was. */
  lastApplied(): Promise<string | null>;
};

export type CatchUpProgress = { segments: number; reports: number };

export type CatchUpOptions = {
  bucket: BucketReader;
  index: SegmentSink;
  /** Called after each segment that was applied. */
  onProgress?: (progress: CatchUpProgress) => void;
  /** Told of a segment that cannot be read; it is passed over and looked at again the next time. */
  onCorrupt: (failure: Failure) => void;
  /** Checks the whole bucket, not only what is new: for an index that may have gaps. */
  whole?: boolean;
  /** Ends it between two segments; what was applied until then stays. */
  signal?: AbortSignal | undefined;
};

/** A slow put may land this long after later ones: another writer's, or one whose clock is behind. */
const overlapMs = 2 * 60 * 60 * 1000;
/** Keys asked for at once, and segments read ahead of the one being applied. */
const pageSize = 1000;
const readAhead = 8;

/**
 * @throws Failure UNAVAILABLE when the bucket does not answer; what was applied until then stays
 * @throws the reason of `signal` once that is aborted
 */
export async function catchUp(options: CatchUpOptions): Promise<CatchUpProgress> {
  const { bucket, index, onProgress, signal, whole = false } = options;
  const progress: CatchUpProgress = { segments: 0, reports: 0 };
  for await (const page of missingKeys(bucket, index, whole)) {
    for await (const segment of readInOrder(page, options)) {
      signal?.throwIfAborted();
      await index.apply(segment);
      progress.segments += 1;
      progress.reports += segment.reports.length;
      onProgress?.(progress);
    }
  }
  return progress;
}

async function* missingKeys(
  bucket: BucketReader,
  index: SegmentSink,
  whole: boolean,
): AsyncGenerator<string[]> {
  const after = whole ? null : await startingPoint(index);
  let page: string[] = [];
  const missing = async () => {
    const applied = await index.appliedOf(page);
    return page.filter((key) => !applied.has(key));
  };
  for await (const key of bucket.list({ prefix: segmentPrefix, ...(after ? { after } : {}) })) {
    if (!isSegmentKey(key)) continue;
    page.push(key);
    if (page.length < pageSize) continue;
    yield await missing();
    page = [];
  }
  if (page.length > 0) yield await missing();
}

/** The folder some hours before the last one applied; null to begin at the beginning. */
async function startingPoint(index: SegmentSink): Promise<string | null> {
  const [, date, hour] = /date=([\d-]+)\/hour=(\d+)/.exec((await index.lastApplied()) ?? '') ?? [];
  if (!date || !hour) return null;
  return segmentFolder(new Date(Date.parse(`${date}T${hour}:00:00Z`) - overlapMs).toISOString());
}

/** Reads several segments at a time and yields them in the order of their keys. */
async function* readInOrder(keys: readonly string[], options: CatchUpOptions): AsyncGenerator<Segment> {
  const reading: Promise<Segment | null>[] = [];
  let next = 0;
  while (next < keys.length || reading.length > 0) {
    for (; reading.length < readAhead && next < keys.length; next += 1) {
      const ahead = read(keys[next] as string, options);
      // It is awaited when its turn comes; one that fails before must not count as unheard until then.
      ahead.catch(() => {});
      reading.push(ahead);
    }
    const segment = await reading.shift();
    if (segment) yield segment;
  }
}

async function read(key: string, { bucket, onCorrupt }: CatchUpOptions): Promise<Segment | null> {
  const body = await bucket.get(key);
  if (!body) return null;
  try {
    return await decodeSegment(key, body);
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.kind !== 'CORRUPT') throw cause;
    onCorrupt(cause);
    return null;
  }
}
