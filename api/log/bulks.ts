/**
 * bulks: reads segments ahead and gathers small ones, so that the index takes several in one transaction.
 */
import type { BucketReader, ObjectInfo } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { readAhead } from './read-ahead.ts';
import { readSegment, type StoredSegment } from './segment.ts';
import { toldRange, toldTextBytes } from './text-size.ts';

export type Bulk = {
  segments: StoredSegment[];
  reports: number;
  /** As stored. */
  bytes: number;
  textBytes: number;
};

export type ReadBulksOptions = {
  bucket: Pick<BucketReader, 'get'>;
  /** Told of a segment that is gone meanwhile. */
  onVanished: (key: string) => void;
  /** Told of a segment that cannot be decompressed. */
  onCorrupt: (key: string, failure: Failure) => void;
  signal?: AbortSignal | undefined;
};

/** A transaction costs about as much for one report as for a hundred; more than this would only hold up others. */
const maxReports = 2000;
export const maxBulkTextBytes = 8 * 1024 * 1024;
/** For segments that do not tell the size of their text. */
const usualRatio = 16;

/**
 * In the order of the objects; never with a part of a segment.
 *
 * @throws Failure UNAVAILABLE when the bucket does not answer, after a bulk of what was read before
 * @throws the reason of `signal` once that is aborted
 */
export async function* readBulks(
  objects: readonly ObjectInfo[],
  { bucket, onVanished, onCorrupt, signal }: ReadBulksOptions,
): AsyncGenerator<Bulk> {
  let bulk = emptyBulk();
  try {
    for await (const { object, body } of readAhead(bucket, objects, signal)) {
      if (!body) {
        onVanished(object.key);
        continue;
      }
      const segment = await readSegment(object.key, body).catch(corrupt);
      if (segment instanceof Failure) {
        onCorrupt(object.key, segment);
        continue;
      }
      const textBytes = textBytesIn(object.key, body);
      const reports = segment.lines.length;
      const isFull = bulk.reports + reports > maxReports || bulk.textBytes + textBytes > maxBulkTextBytes;
      if (isFull && bulk.segments.length > 0) {
        yield bulk;
        bulk = emptyBulk();
      }
      bulk.segments.push(segment);
      bulk.reports += reports;
      bulk.bytes += object.size;
      bulk.textBytes += textBytes;
    }
  } catch (cause) {
    // Not read in vain: with a store that fails now and then, every attempt brings the index further.
    if (bulk.segments.length > 0 && !signal?.aborted) yield bulk;
    throw cause;
  }
  if (bulk.segments.length > 0) yield bulk;
}

function emptyBulk(): Bulk {
  return { segments: [], reports: 0, bytes: 0, textBytes: 0 };
}

function corrupt(cause: unknown): Failure {
  if (cause instanceof Failure && cause.kind === 'CORRUPT') return cause;
  throw cause;
}

function textBytesIn(key: string, body: Uint8Array): number {
  const { start, end } = toldRange({ key, size: body.length });
  return toldTextBytes(key, body.subarray(start, end)) ?? body.length * usualRatio;
}
