/**
 * log: the append-only record of every report, in the bucket.
 *
 * A report is acknowledged only after its segment is durably put. While one put is in flight the
 * next batch gathers (group commit): load makes segments larger, not more.
 */
import type { BucketWriter } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { type EncodedReport, encodeReport, encodeSegment, type Segment } from './segment.ts';
import { segmentFolder, segmentKey } from './segment-key.ts';
import type { StoredReport } from './stored-report.ts';

/** Keep a segment, and the memory that reading it takes, to a size that any reader can hold. */
const maxReportsPerSegment = 1000;
const maxCharactersPerSegment = 16 * 1024 * 1024;

export type LogOptions = {
  bucket: BucketWriter;
  /** Makes the time-ordered part of a segment's name. */
  makeId: () => string;
  /** Told of each segment once it is durable, and awaited before its reports are acknowledged, whatever comes of it. */
  onSegment: (segment: Segment) => Promise<void>;
};

export type Log = {
  /**
   * Resolves once the report is durable.
   *
   * @throws Failure UNAVAILABLE when the bucket did not confirm it: the report may be there all the
   *   same, so the caller sends it again under the same id
   */
  append(report: StoredReport): Promise<void>;
  /** Refuses further reports and resolves once those under way are settled. */
  close(): Promise<void>;
};

type Waiting = EncodedReport & { settle: PromiseWithResolvers<void> };

export function openLog({ bucket, makeId, onSegment }: LogOptions): Log {
  const waiting: Waiting[] = [];
  let draining: Promise<void> | null = null;
  let closed = false;

  async function drain(): Promise<void> {
    while (waiting.length > 0) await write(takeBatch(waiting));
    draining = null;
  }

  async function write(batch: Waiting[]): Promise<void> {
    try {
      const reports = batch.map(({ report }) => report);
      const key = segmentKey(firstOf(batch).report.receivedAt, makeId());
      await bucket.put(key, await encodeSegment(batch));
      // What is durable is acknowledged, also when nobody could make use of it yet.
      await onSegment({ key, reports }).catch(() => {});
    } catch (cause) {
      for (const { settle } of batch) settle.reject(cause);
      return;
    }
    for (const { settle } of batch) settle.resolve();
  }

  return {
    async append(report) {
      if (closed) throw new Failure('UNAVAILABLE', 'the API is stopping: send the report again');
      const settle = Promise.withResolvers<void>();
      // Encoded here, so that one that cannot be encoded fails alone.
      waiting.push({ ...encodeReport(report), settle });
      draining ??= drain();
      return settle.promise;
    },
    async close() {
      closed = true;
      await draining;
    },
  };
}

/** The oldest reports of one partition, as many as fit: a segment never straddles an hour. */
function takeBatch(waiting: Waiting[]): Waiting[] {
  const folder = segmentFolder(firstOf(waiting).report.receivedAt);
  let characters = 0;
  const end = waiting.findIndex(({ report, line }, position) => {
    characters += line.length;
    const isFull = position >= maxReportsPerSegment || characters > maxCharactersPerSegment;
    return (position > 0 && isFull) || segmentFolder(report.receivedAt) !== folder;
  });
  return waiting.splice(0, end === -1 ? waiting.length : end);
}

function firstOf(batch: Waiting[]): Waiting {
  const [first] = batch;
  if (!first) throw new Error('a batch is never empty');
  return first;
}
