/**
 * traced-parts: bucket, index and log whose work is seen in the traces of the requests that cause it.
 *
 * What the API does by itself, such as following the bucket, is in no trace.
 */
import type { Span } from '@opentelemetry/api';
import type { Bucket } from '../bucket/bucket.ts';
import type { IndexReader, IndexStore } from '../index/index-store.ts';
import { askReader, readerOf } from '../index/reader-methods.ts';
import type { Log, LogOptions } from '../log/log.ts';
import { own, type Tracing } from './tracing.ts';

/** A list takes from its beginning to its end, with what its reader does in between. */
export function tracedBucket(tracing: Tracing, bucket: Bucket): Bucket {
  return {
    ...bucket,
    put(key, body) {
      const attributes = { [own.key]: key, [own.bytes]: body.length };
      return tracing.part('bucket.put', attributes, () => bucket.put(key, body));
    },
    get: (key, range) => tracing.part('bucket.get', { [own.key]: key }, () => bucket.get(key, range)),
    delete: (key) => tracing.part('bucket.delete', { [own.key]: key }, () => bucket.delete(key)),
    async *list(options = {}) {
      const listing = tracing.begin('bucket.list', { [own.prefix]: options.prefix ?? '' });
      let failure: unknown;
      try {
        yield* bucket.list(options);
      } catch (cause) {
        failure = cause;
        throw cause;
      } finally {
        listing?.end(failure);
      }
    },
  };
}

/** Each question is a part, with the time that it waits for its turn. */
export function tracedIndex(tracing: Tracing, index: IndexStore): IndexStore {
  const traced = (reader: IndexReader): IndexReader =>
    readerOf((method, args) => tracing.part(`index.${method}`, {}, () => askReader(reader, method, args)));
  return { ...index, ...traced(index), forRequest: (signal) => traced(index.forRequest(signal)) };
}

/** What `open` makes of options, so that reports and the segment that they become are seen together. */
export function tracedLog(tracing: Tracing, options: LogOptions, open: (options: LogOptions) => Log): Log {
  /** Of reports that wait for their segment, by their ids. */
  const waiting = new Map<string, Span>();
  const log = open({
    ...options,
    onSegment: (segment) => tracing.part('index.apply', {}, () => options.onSegment(segment)),
    commit(reports, work) {
      const spans = reports.flatMap(({ id }) => waiting.get(id) ?? []);
      return tracing.shared(spans, 'log.commit', { [own.reports]: reports.length }, work);
    },
  });
  return {
    ...log,
    append: (report) =>
      tracing.part('log.append', {}, async () => {
        const span = tracing.current();
        if (span) waiting.set(report.id, span);
        try {
          await log.append(report);
        } finally {
          waiting.delete(report.id);
        }
      }),
  };
}
