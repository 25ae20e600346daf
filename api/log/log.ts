/**
 * log: the append-only record of every report, in the bucket.
 *
 * A report is acknowledged only after its segment is durably put. What arrives while a put is in flight, or soon
 * after one that carried several, gathers into the next (group commit): load makes segments larger, not more.
 * docs/design/0003-log-and-index.md has the protocol.
 */
import type { BucketWriter } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { type EncodedReport, encodeReport, encodeSegment, type Segment } from './segment.ts';
import { segmentFolder, segmentKey } from './segment-key.ts';
import type { StoredReport } from './stored-report.ts';

export type LogSettings = {
  /** How long after the beginning of a put of several reports the next one begins. @default 10 */
  lingerMs: number;
  /** How many reports a segment holds. @default 1000 */
  maxReports: number;
  /** How many bytes of text a segment holds; a report that is larger is one of its own. @default 4 MiB */
  maxBytes: number;
  /** How many puts are in flight at once. @default 4 */
  maxInFlight: number;
  /** How long after the beginning of a put, while it is in flight, the next one begins. @default 200 */
  patienceMs: number;
  /** How many bytes of text may be waiting to be acknowledged. @default 64 MiB */
  maxPendingBytes: number;
};

export type LogOptions = {
  bucket: BucketWriter;
  /** Told of each segment once it is durable, and awaited before its reports are acknowledged, whatever comes of it. */
  onSegment: (segment: Segment) => Promise<void>;
  /** Does the work on a segment, from its put to its acknowledgement: for whoever follows it. @default only does it */
  commit?: (reports: readonly StoredReport[], work: () => Promise<void>) => Promise<void>;
  settings?: Partial<LogSettings>;
};

export type Log = {
  /**
   * Resolves once the report is durable.
   *
   * @throws Failure UNAVAILABLE when the bucket did not confirm it: the report may be there all the
   *   same, so the caller sends it again under the same id; or when too much is waiting already
   */
  append(report: StoredReport): Promise<void>;
  /** Refuses further reports, puts what waits at once, and resolves when all is settled. */
  close(): Promise<void>;
};

const defaults: LogSettings = {
  // At most 100 puts a second, which S3 takes 43 dollars a day for.
  lingerMs: 10,
  // So many that each costs next to nothing, so few that any reader can hold them.
  maxReports: 1000,
  maxBytes: 4 * 1024 * 1024,
  maxInFlight: 4,
  // Far beyond what a put usually takes.
  patienceMs: 200,
  maxPendingBytes: 64 * 1024 * 1024,
};

/** Whoever overloads us is many agents: to have them back at once would only add to it. */
const overloadRetrySeconds = 10;

type Waiting = EncodedReport & { settle: PromiseWithResolvers<void> };

/** Reports that become a segment. */
type Batch = { folder: string; bytes: number; waiting: Waiting[] };

export function openLog(options: LogOptions): Log {
  const { bucket, onSegment, commit = (_reports, work) => work(), settings = {} } = options;
  const { lingerMs, maxReports, maxBytes, maxInFlight, patienceMs, maxPendingBytes } = {
    ...defaults,
    ...settings,
  };
  /** The oldest first; only the last one still takes reports. */
  const batches: Batch[] = [];
  /** When the put of each began. */
  const inFlight = new Map<Batch, number>();
  const unsettled = new Set<Promise<void>>();
  /** When the last put of more than one report began. */
  let gatheredAt = Number.NEGATIVE_INFINITY;
  let pendingBytes = 0;
  let isClosed = false;
  let isWoken = false;
  let timer: NodeJS.Timeout | undefined;

  /** Reports of one tick share a batch, so the first of them waits for the others. */
  function wake(): void {
    if (isWoken) return;
    isWoken = true;
    queueMicrotask(() => {
      isWoken = false;
      begin();
    });
  }

  /** Begins every put whose time has come, and comes back for the next. */
  function begin(): void {
    // Set only while a report waits for it, so that it keeps no process alive that has nothing to write.
    clearTimeout(timer);
    while (inFlight.size < maxInFlight) {
      const [batch] = batches;
      if (!batch) return;
      const waitMs = waitOf(batch);
      if (waitMs > 0) {
        timer = setTimeout(begin, Math.ceil(waitMs));
        return;
      }
      batches.shift();
      inFlight.set(batch, performance.now());
      if (batch.waiting.length > 1) gatheredAt = performance.now();
      const reports = batch.waiting.map(({ report }) => report);
      const work = commit(reports, () => write(batch, reports)).finally(() => unsettled.delete(work));
      unsettled.add(work);
    }
  }

  /** Milliseconds in which more may join the oldest batch; 0 or less when it is not to wait any longer. */
  function waitOf(batch: Batch): number {
    const isFull = batches.length > 1 || batch.waiting.length >= maxReports || batch.bytes >= maxBytes;
    if (isFull || isClosed) return 0;
    const latestPutAt = Math.max(...inFlight.values());
    return Math.max(gatheredAt + lingerMs, latestPutAt + patienceMs) - performance.now();
  }

  async function write(batch: Batch, reports: readonly StoredReport[]): Promise<void> {
    let segment: Segment;
    try {
      segment = await put(batch, reports);
    } catch (cause) {
      settle(batch, ({ reject }) => reject(cause));
      return;
    }
    try {
      await onSegment(segment);
    } catch {
      // What is durable is acknowledged, also when nobody could make use of it yet.
    }
    settle(batch, ({ resolve }) => resolve());
  }

  async function put(batch: Batch, reports: readonly StoredReport[]): Promise<Segment> {
    try {
      const key = segmentKey(reports);
      await bucket.put(key, await encodeSegment(batch.waiting));
      return { key, reports };
    } finally {
      inFlight.delete(batch);
      // The next put need not wait for what is made of this segment.
      begin();
    }
  }

  function settle(batch: Batch, how: (settle: PromiseWithResolvers<void>) => void): void {
    pendingBytes -= batch.bytes;
    for (const { settle } of batch.waiting) how(settle);
  }

  /** A batch that can take so many bytes more: the last one or a new one, as a segment never straddles an hour. */
  function batchFor(folder: string, bytes: number): Batch {
    const last = batches.at(-1);
    const hasRoom = last && last.waiting.length < maxReports && last.bytes + bytes <= maxBytes;
    if (hasRoom && last.folder === folder) return last;
    const batch: Batch = { folder, bytes: 0, waiting: [] };
    batches.push(batch);
    return batch;
  }

  return {
    async append(report) {
      if (isClosed) throw new Failure('UNAVAILABLE', 'the API is stopping: send the report again');
      // Encoded here, so that one that cannot be encoded fails alone.
      const encoded = encodeReport(report);
      const bytes = Buffer.byteLength(encoded.line) + 1;
      // One that is larger than the bound has its turn when nothing else waits.
      if (pendingBytes > 0 && pendingBytes + bytes > maxPendingBytes) {
        throw new Failure('UNAVAILABLE', 'too many reports are waiting for the bucket: send it again later', {
          retryAfterSeconds: overloadRetrySeconds,
        });
      }
      const batch = batchFor(segmentFolder(report.receivedAt), bytes);
      const settle = Promise.withResolvers<void>();
      batch.waiting.push({ ...encoded, settle });
      batch.bytes += bytes;
      pendingBytes += bytes;
      wake();
      return settle.promise;
    },
    async close() {
      isClosed = true;
      begin();
      // Each that settles may have begun another.
      while (unsettled.size > 0) await Promise.all(unsettled);
    },
  };
}
