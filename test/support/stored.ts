/** stored: what a bucket holds, read without any part of the API but the form of a segment. */
import type { BucketReader } from '../../api/bucket/bucket.ts';
import { openFolderBucket } from '../../api/bucket/folder-bucket.ts';
import { decodeSegment, encodeReport, encodeSegment } from '../../api/log/segment.ts';
import { segmentKey, segmentPrefix } from '../../api/log/segment-key.ts';
import type { StoredReport } from '../../api/log/stored-report.ts';

export type StoredCopy = { key: string; report: StoredReport };

/**
 * By report id: each place where the bucket holds it.
 *
 * @throws Failure CORRUPT when there is a segment that is not whole
 */
export async function readStored(bucket: BucketReader): Promise<Map<string, StoredCopy[]>> {
  const copies = new Map<string, StoredCopy[]>();
  for (const { key } of await Array.fromAsync(bucket.list({ prefix: segmentPrefix }))) {
    const body = await bucket.get(key);
    if (!body) throw new Error(`${key} is listed and not there`);
    for (const report of (await decodeSegment(key, body)).reports) {
      copies.set(report.id, [...(copies.get(report.id) ?? []), { key, report }]);
    }
  }
  return copies;
}

/** The same of a bucket in a folder. */
export async function readStoredIn(folder: string): Promise<Map<string, StoredCopy[]>> {
  return readStored(await openFolderBucket(folder));
}

/** Puts a segment and tells nobody: what an API does that dies before its index has it. @returns the key */
export async function putAsDead(folder: string, reports: readonly StoredReport[]): Promise<string> {
  const bucket = await openFolderBucket(folder);
  const key = segmentKey(reports);
  await bucket.put(key, await encodeSegment(reports.map(encodeReport)));
  return key;
}
