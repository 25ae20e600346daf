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
  /** In one transaction with their keys: all or nothing. Those applied before are passed over. */
  apply(segments: readonly Segment[]): Promise<void>;
  /** Those of the given keys that were applied before. */
  appliedOf(keys: readonly string[]): Promise<Set<string>>;
  /**
   * Where the next catch-up begins: all segments before it were listed and applied. Null at first.
   * Not the last key applied: what is written at this moment is applied past segments that are missing.
   */
  mark(): Promise<string | null>;
  setMark(mark: string): Promise<void>;
  /** Takes merged segments for applied, and forgets their sources, where all of the sources were applied. */
  replaced(parts: readonly string[], sources: readonly string[]): Promise<void>;
};

export type CatchUpProgress = { segments: number; reports: number };

export type CatchUpOptions = {
  bucket: BucketReader;
  index: SegmentSink;
  /** Called after each segment that was applied. */
  onProgress?: (progress: CatchUpProgress) => void;
  /** Told of a segment that cannot be read; it is passed over, and looked at again every time. */
  onCorrupt: (failure: Failure) => void;
  /** Checks the whole bucket, not only what is new: for an index that may have gaps. */
  whole?: boolean;
  /** Ends it between two segments; what was applied until then stays. */
  signal?: AbortSignal | undefined;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
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
  const { bucket, index, onProgress, onCorrupt, signal, whole = false, now = Date.now } = options;
  const progress: CatchUpProgress = { segments: 0, reports: 0 };
  const mark = segmentFolder(new Date(now() - overlapMs).toISOString());
  const skipped: string[] = [];
  const read = async (key: string) => {
    const segment = await readSegment(bucket, key);
    if (!(segment instanceof Failure)) return segment;
    skipped.push(key);
    onCorrupt(segment);
    return null;
  };
  const after = whole ? null : await index.mark();
  for await (const page of missingKeys(bucket, index, after)) {
    for await (const segment of readInOrder(page, read)) {
      signal?.throwIfAborted();
      await index.apply([segment]);
      progress.segments += 1;
      progress.reports += segment.reports.length;
      onProgress?.(progress);
    }
  }
  const [earliest = mark] = [mark, ...skipped.map(folderOf)].sort();
  await index.setMark(earliest);
  return progress;
}

async function* missingKeys(
  bucket: BucketReader,
  index: SegmentSink,
  after: string | null,
): AsyncGenerator<string[]> {
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

/** Reads several segments at a time and yields them in the order of their keys. */
async function* readInOrder(
  keys: readonly string[],
  read: (key: string) => Promise<Segment | null>,
): AsyncGenerator<Segment> {
  const waiting = [...keys];
  const reading: Promise<Segment | null>[] = [];
  while (waiting.length > 0 || reading.length > 0) {
    for (const key of waiting.splice(0, readAhead - reading.length)) {
      const ahead = read(key);
      // It is awaited when its turn comes; one that fails before must not count as unheard until then.
      ahead.catch(() => {});
      reading.push(ahead);
    }
    const segment = await reading.shift();
    if (segment) yield segment;
  }
}

/** Null when it is gone meanwhile; the failure, not thrown, when it is corrupt. */
async function readSegment(bucket: BucketReader, key: string): Promise<Segment | Failure | null> {
  const body = await bucket.get(key);
  if (!body) return null;
  try {
    return await decodeSegment(key, body);
  } catch (cause) {
    if (cause instanceof Failure && cause.kind === 'CORRUPT') return cause;
    throw cause;
  }
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}
