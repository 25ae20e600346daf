/**
 * segment-key: the one place that builds and reads the names of segments.
 *
 * `reports/date=YYYY-MM-DD/hour=HH/<uuid v7>.ndjson.gz`, by the time received, UTC. The `name=value`
 * folders are what Athena, Trino and DuckDB read as partitions; all of it sorts as text by time.
 */
export const segmentPrefix = 'reports/';

const pattern =
  /^reports\/date=(\d{4}-\d{2}-\d{2})\/hour=(\d{2})\/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.ndjson\.gz$/;

/** The partition of an instant: two reports of one segment always share it. */
export function segmentFolder(receivedAt: string): string {
  const instant = new Date(receivedAt).toISOString();
  return `${segmentPrefix}date=${instant.slice(0, 10)}/hour=${instant.slice(11, 13)}/`;
}

export function segmentKey(receivedAt: string, uuidV7: string): string {
  return `${segmentFolder(receivedAt)}${uuidV7}.ndjson.gz`;
}

/** Whether an object of the bucket is a segment that this version reads. */
export function isSegmentKey(key: string): boolean {
  return pattern.test(key);
}
