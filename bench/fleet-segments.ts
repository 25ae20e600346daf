/** fleet-segments: a fleet's reports as the segments that the log would make of them, one at a time. */
import type { BucketWriter } from '../api/bucket/bucket.ts';
import { encodeReport, encodeSegment, type Segment } from '../api/log/segment.ts';
import { segmentFolder, segmentKey } from '../api/log/segment-key.ts';
import type { StoredReport } from '../api/log/stored-report.ts';

/** Of this many reports each, fewer where an hour ends. */
export function* segmentsOf(reports: Iterable<StoredReport>, size: number): Generator<Segment> {
  let batch: StoredReport[] = [];
  let folder = '';
  for (const report of reports) {
    const own = segmentFolder(report.receivedAt);
    if (batch.length > 0 && (batch.length === size || own !== folder)) {
      yield { key: segmentKey(batch), reports: batch };
      batch = [];
    }
    folder = own;
    batch.push(report);
  }
  if (batch.length > 0) yield { key: segmentKey(batch), reports: batch };
}

/** Puts them all. @returns bytes in the bucket */
export async function writeSegments(
  bucket: BucketWriter,
  reports: Iterable<StoredReport>,
  size: number,
): Promise<number> {
  let bytes = 0;
  for (const segment of segmentsOf(reports, size)) {
    const body = await encodeSegment(segment.reports.map(encodeReport));
    await bucket.put(segment.key, body);
    bytes += body.length;
  }
  return bytes;
}
