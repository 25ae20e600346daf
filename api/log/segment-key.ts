/**
 * segment-key: the one place that builds and reads the names of segments.
 *
 * `reports/date=YYYY-MM-DD/hour=HH/<uuid v7>.ndjson.zst`, by the time received, UTC. The `name=value`
 * folders are what Athena, Trino and DuckDB read as partitions; all of it sorts as text by time. Segments
 * written before zstd was chosen end in `.ndjson.gz`.
 */
import { createHash } from 'node:crypto';
import type { StoredReport } from './stored-report.ts';

export const segmentPrefix = 'reports/';

const hourMs = 60 * 60 * 1000;

const pattern =
  /^reports\/date=(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))\/hour=([01]\d|2[0-3])\/([0-9a-f]{8}-[0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.ndjson\.(?:gz|zst)$/;

/** The partition of an instant: two reports of one segment always share it. */
export function segmentFolder(receivedAt: string): string {
  const instant = new Date(receivedAt).toISOString();
  return `${segmentPrefix}date=${instant.slice(0, 10)}/hour=${instant.slice(11, 13)}/`;
}

/**
 * The name of the segment that holds these reports, whatever their order: the same reports have the same
 * name, so that a put that is repeated after an unclear answer overwrites itself, and two processes that merge
 * the same segments write one object.
 *
 * @throws RangeError when there are none, or when they were not all received in one hour
 */
export function segmentKey(reports: readonly Pick<StoredReport, 'id' | 'receivedAt'>[]): string {
  let [earliest, latest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { receivedAt } of reports) {
    const ms = Date.parse(receivedAt);
    earliest = Math.min(earliest, ms);
    latest = Math.max(latest, ms);
  }
  if (Math.floor(earliest / hourMs) !== Math.floor(latest / hourMs)) {
    throw new RangeError('a segment holds reports of one hour');
  }
  const folder = segmentFolder(new Date(earliest).toISOString());
  return `${folder}${timeOfUuid(earliest)}-${restOfUuid(reports)}.ndjson.zst`;
}

/** Whether an object of the bucket is a segment that this version reads. */
export function isSegmentKey(key: string): boolean {
  return pattern.test(key);
}

/** What to hand to `list({ after })` to get every segment whose first report was received at this instant or later. */
export function keyBefore(ms: number): string {
  const instant = Math.max(0, Math.floor(ms));
  return `${segmentFolder(new Date(instant).toISOString())}${timeOfUuid(instant)}`;
}

/** The first 48 bits. */
function timeOfUuid(ms: number): string {
  const digits = ms.toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}`;
}

/** Version, variant, and 74 bits of a hash of the reports: two copies of one are told apart by when they came. */
function restOfUuid(reports: readonly Pick<StoredReport, 'id' | 'receivedAt'>[]): string {
  const copies = new Set(reports.map(({ id, receivedAt }) => `${id} ${receivedAt}`));
  const hash = createHash('sha256')
    .update([...copies].sort().join('\n'))
    .digest();
  hash[0] = 0x70 | ((hash[0] ?? 0) & 0x0f);
  hash[2] = 0x80 | ((hash[2] ?? 0) & 0x3f);
  const digits = hash.toString('hex', 0, 10);
  return `${digits.slice(0, 4)}-${digits.slice(4, 8)}-${digits.slice(8, 20)}`;
}
