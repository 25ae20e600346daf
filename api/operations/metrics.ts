/**
 * metrics: figures of the API for Prometheus, in one registry; docs/operations.md tells of each.
 *
 * No label holds what a client made up: there would be no end to their values.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Bucket } from '../bucket/bucket.ts';
import { segmentPrefix } from '../log/segment-key.ts';

const prefix = 'os_inspector_api_';

/** From a hit of a cache to what QUERY_TIMEOUT ends. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
const bytes = [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7];

export type ReportOutcome = 'stored' | 'duplicate' | 'refused';
export type RefusalReason = 'busy' | 'credentials' | 'limit';

export type Metrics = ReturnType<typeof makeMetrics>;

/** What is asked for when somebody looks. */
export type Watched = {
  /** Null where that cannot be told at the moment. */
  hosts: () => Promise<Record<string, number> | null>;
  subscribers: () => number;
  exports: () => number;
  /** How long the index has lacked what the bucket has, in seconds; 0 where it lacks nothing. */
  indexLagSeconds: () => number;
};

export function makeMetrics() {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const named = (name: string, help: string) => ({ name: prefix + name, help, registers });

  const requests = new Counter({
    ...named('requests_total', 'Requests that were answered.'),
    labelNames: ['route', 'method', 'status'],
  });
  const requestSeconds = new Histogram({
    ...named('request_seconds', 'Time from a request to the head of its answer.'),
    labelNames: ['route'],
    buckets: seconds,
  });
  const operations = new Counter({
    ...named(
      'operations_total',
      'Operations of GraphQL that were run, by their first field; the code is OK or that of the first error.',
    ),
    labelNames: ['type', 'field', 'code'],
  });
  const operationSeconds = new Histogram({
    ...named('operation_seconds', 'Time that an operation of GraphQL took.'),
    labelNames: ['type', 'field'],
    buckets: seconds,
  });
  const reports = new Counter({
    ...named('reports_total', 'Reports by what became of them.'),
    labelNames: ['outcome'],
  });
  const dropped = new Counter(
    named('dropped_reports_total', 'Reports that agents say they had to drop before they could send them.'),
  );
  const commitReports = new Histogram({
    ...named('commit_reports', 'Reports of one segment.'),
    buckets: counts,
  });
  const commitBytes = new Histogram({
    ...named('commit_bytes', 'Size of one segment as it is stored.'),
    buckets: bytes,
  });
  const commitSeconds = new Histogram({
    ...named('commit_seconds', 'Time that the put of one segment took.'),
    buckets: seconds,
  });
  const bucketCalls = new Counter({
    ...named('bucket_calls_total', 'Calls of the bucket.'),
    labelNames: ['call', 'outcome'],
  });
  const bucketSeconds = new Histogram({
    ...named('bucket_call_seconds', 'Time that a call of the bucket took.'),
    labelNames: ['call'],
    buckets: seconds,
  });
  const missedSegments = new Counter(
    named(
      'index_missed_segments_total',
      'Segments that the index did not take as they came, and catch-up brings.',
    ),
  );
  const refused = new Counter({
    ...named(
      'refused_total',
      'Requests that were not looked at: too many at a time, too often, or by a stranger.',
    ),
    labelNames: ['reason'],
  });
  for (const reason of ['busy', 'credentials', 'limit'] satisfies RefusalReason[]) refused.inc({ reason }, 0);
  for (const outcome of ['stored', 'duplicate', 'refused'] satisfies ReportOutcome[])
    reports.inc({ outcome }, 0);

  /** Times a call of the bucket, and tells whether it failed. */
  async function timed<T>(call: string, work: () => Promise<T>): Promise<T> {
    const end = bucketSeconds.startTimer({ call });
    try {
      const result = await work();
      bucketCalls.inc({ call, outcome: 'ok' });
      return result;
    } catch (cause) {
      bucketCalls.inc({ call, outcome: 'error' });
      throw cause;
    } finally {
      end();
    }
  }

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    names: () => registry.getMetricsAsArray().map(({ name }) => name),

    answered(route: string, method: string, status: number, tookSeconds: number) {
      requests.inc({ route, method, status });
      requestSeconds.observe({ route }, tookSeconds);
    },
    operated(type: string, field: string, code: string, tookSeconds: number | null) {
      operations.inc({ type, field, code });
      if (tookSeconds !== null) operationSeconds.observe({ type, field }, tookSeconds);
    },
    received(outcome: ReportOutcome, droppedBefore = 0) {
      reports.inc({ outcome });
      if (outcome === 'stored') dropped.inc(droppedBefore);
    },
    committed: (count: number) => commitReports.observe(count),
    missed: (segments: number) => missedSegments.inc(segments),
    refused: (reason: RefusalReason, count = 1) => refused.inc({ reason }, count),

    /** The same bucket, whose calls are counted and timed. */
    watchBucket(bucket: Bucket): Bucket {
      return {
        ...bucket,
        get: (key, range) => timed('get', () => bucket.get(key, range)),
        delete: (key) => timed('delete', () => bucket.delete(key)),
        async put(key, body) {
          const end = commitSeconds.startTimer();
          await timed('put', () => bucket.put(key, body));
          if (!key.startsWith(segmentPrefix)) return;
          end();
          commitBytes.observe(body.byteLength);
        },
        async *list(options) {
          // What is done with the keys between two pages is not the bucket's time.
          const keys = bucket.list(options)[Symbol.asyncIterator]();
          for (let first = true; ; first = false) {
            const next = first ? await timed('list', () => keys.next()) : await keys.next();
            if (next.done) return;
            yield next.value;
          }
        },
      };
    },

    /** Adds what is asked for as somebody looks. */
    watch({ hosts, subscribers, exports, indexLagSeconds }: Watched) {
      const gauge = (name: string, help: string, read: () => number) =>
        new Gauge({
          ...named(name, help),
          collect() {
            this.set(read());
          },
        });
      gauge('subscribers', 'Subscriptions at the moment.', subscribers);
      gauge('exports', 'Exports under way.', exports);
      gauge(
        'index_lag_seconds',
        'For how long the index has lacked something that the bucket has.',
        indexLagSeconds,
      );
      new Gauge({
        ...named('hosts', 'Hosts by whether they still report.'),
        labelNames: ['status'],
        async collect() {
          for (const [status, count] of Object.entries((await hosts()) ?? {})) this.set({ status }, count);
        },
      });
    },

    /** Adds figures of the socket. */
    watchSocket({ refusedConnections, certificateExpiresAt }: WatchedSocket) {
      new Counter({
        ...named('refused_connections_total', 'Connections that were one too many.'),
        collect() {
          this.reset();
          this.inc(refusedConnections());
        },
      });
      if (certificateExpiresAt === null) return;
      new Gauge({
        ...named(
          'certificate_expires_at_seconds',
          'When the certificate of TLS ends, in seconds since 1970.',
        ),
        collect() {
          this.set(certificateExpiresAt() / 1_000);
        },
      });
    },
  };
}

type WatchedSocket = { refusedConnections: () => number; certificateExpiresAt: (() => number) | null };
