/**
 * service: wires bucket, log, index, upkeep and server into one running whole, and takes it apart again.
 */
import type { RequestListener } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import type { AnyPlugin } from '../plugins/plugin.ts';
import { openAdmission } from './auth/admission.ts';
import { type AuthenticationOptions, openAuthentication } from './auth/authentication.ts';
import type { Gate } from './auth/gate.ts';
import { makeIsGood } from './auth/while-good.ts';
import type { Bucket, BucketWriter } from './bucket/bucket.ts';
import { openExports } from './export/exports.ts';
import type { IndexStore } from './index/index-store.ts';
import { openIndexFeed } from './index-feed.ts';
import { type Intake, openIntake } from './intake.ts';
import { openKnownFacts } from './known-facts.ts';
import { openInFlight } from './limits/in-flight.ts';
import { type LimitsSettings, makeLimits, noLimits } from './limits/limits.ts';
import { shedding } from './limits/shedding.ts';
import { openLive } from './live/live.ts';
import { type LogOptions, openLog } from './log/log.ts';
import { segmentPrefix } from './log/segment-key.ts';
import { makeAudit } from './operations/audit.ts';
import { makeHostsByStatus } from './operations/hosts-by-status.ts';
import { type Metrics, makeMetrics } from './operations/metrics.ts';
import { tracedBucket, tracedIndex, tracedLog } from './operations/traced-parts.ts';
import type { Tracing } from './operations/tracing.ts';
import { maxBodyBytes } from './read-body.ts';
import { createServer, everything, graphqlEndpoint, type Offered, type Server } from './server.ts';
import { makeUpkeep } from './upkeep.ts';
import { within } from './within.ts';

/**
 * So long a put that failed speaks for the next one. Not for ever: who sends only to an API that is ready would never
 * let it try again.
 */
const failedPutCountsMs = 30_000;

const defaultQueryTimeoutMs = 30_000;

/** Stores that take longer do not count as ready, whatever they will answer. */
const readyPatienceMs = 5_000;

export type ServiceOptions = {
  bucket: Bucket;
  index: IndexStore;
  /** What the server answers with; its types are those of `plugins`. */
  schema: GraphQLSchema;
  plugins: readonly AnyPlugin[];
  logger: Logger;
  /** Who has to show what. @default nobody has to: for what is reached from this machine only */
  authentication?: Pick<AuthenticationOptions, 'isRequired' | 'verifyJwt' | 'certificateOf'>;
  /** Lets in whom it likes, instead of those whom `authentication` lets in. */
  gate?: Gate;
  /** Where it is counted what is done. @default a registry of its own */
  metrics?: Metrics;
  /** @default all of it */
  offered?: Offered;
  /** Aborted when the process is told to stop: ends a catch-up that is under way. */
  signal?: AbortSignal;
  /** @default the log's own */
  commitLingerMs?: number;
  /** How long the index keeps reports. @default null, for ever */
  retentionMs?: number | null;
  /** How long the index may work for one request. @default half a minute */
  queryTimeoutMs?: number;
  /** How often anyone may ask. @default as often as they like */
  limits?: LimitsSettings;
  /** How many requests are worked on at once. @default null, any number of them */
  maxInFlight?: number | null;
  /** Follows requests through all parts. @default null, nobody does */
  tracing?: Tracing | null;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
};

export type Service = {
  server: Server;
  /** Is not ready any more, and goes on answering: so that load balancers go elsewhere. */
  leave(): void;
  /** The server, for a socket: past what it can do it refuses. */
  listener: RequestListener;
  /** Ends every subscription and export, which would otherwise last as long as its client wants. */
  endSubscriptions(): Promise<void>;
  /** Refuses new reports, waits for those under way, and closes bucket and index. */
  close(): Promise<void>;
};

/**
 * Resolves once the index holds all that the bucket does.
 *
 * @throws Failure UNAVAILABLE when the bucket does not answer
 */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { schema, plugins, logger, commitLingerMs, retentionMs = null } = options;
  const { metrics = makeMetrics(), offered = everything, tracing = null } = options;
  const counted = metrics.watchBucket(options.bucket);
  const bucket = tracing ? tracedBucket(tracing, counted) : counted;
  const index = tracing ? tracedIndex(tracing, options.index) : options.index;
  const audit = makeAudit(logger);
  const { queryTimeoutMs = defaultQueryTimeoutMs, now = Date.now } = options;
  const limits = makeLimits(options.limits ?? noLimits);
  const inFlight = openInFlight({ maxInFlight: options.maxInFlight ?? null });
  const closing = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, closing.signal]) : closing.signal;
  const upkeep = makeUpkeep({ bucket, index, retentionMs, logger, signal, now });
  const feed = openIndexFeed({
    index,
    onMissed(keys, cause) {
      // The reports are safe in the bucket; catch-up brings them into the index.
      logger.error({ err: cause, keys }, 'index did not take segments');
      metrics.missed(keys.length);
      upkeep.fellBehind();
    },
  });
  const puts = watchPuts(bucket);
  const logOptions: LogOptions = {
    bucket: puts.bucket,
    onSegment(segment) {
      metrics.committed(segment.reports.length);
      return feed.add(segment);
    },
    ...(commitLingerMs === undefined ? {} : { settings: { lingerMs: commitLingerMs } }),
  };
  const log = tracing ? tracedLog(tracing, logOptions, openLog) : openLog(logOptions);
  const onIndexError = (cause: unknown) => logger.error({ err: cause }, 'index did not answer');
  const admission = openAdmission({ index });
  const intake = countedIntake(openIntake({ log, index, onIndexError }), metrics);
  const knownFacts = openKnownFacts({ index, onIndexError, maxGrowthBytes: maxBodyBytes });
  const live = openLive({ index, onError: (cause) => logger.error({ err: cause }, 'subscription failed') });
  const authentication = await openAuthentication({
    ...{ bucket, logger, now, isRequired: false },
    ...options.authentication,
  });
  const { credentials, gate } = authentication;
  // Whoever lets in others knows how long.
  const isGood = options.gate ? () => true : makeIsGood(credentials, now);
  const exports = openExports({ index, plugins, schema, queryTimeoutMs, logger, now, isGood });
  metrics.watch({
    hosts: makeHostsByStatus(index, now),
    subscribers: live.subscribers,
    exports: exports.running,
    indexLagSeconds: () => Math.max(0, now() - (upkeep.behindSince() ?? now())) / 1_000,
  });
  let isLeaving = false;
  async function checkReady(): Promise<Record<string, string>> {
    if (isLeaving) return { process: 'is stopping' };
    async function checkBucket(): Promise<void> {
      puts.check();
      for await (const _object of bucket.list({ prefix: segmentPrefix, limit: 1 })) break;
    }
    const checks = { bucket: checkBucket(), index: index.ping() };
    const failed: Record<string, string> = {};
    // All of them at once: one that fails while another is waited for must have somebody who hears it.
    await Promise.all(
      Object.entries(checks).map(([part, check]) =>
        within(readyPatienceMs, part, check).catch((cause) => {
          logger.warn({ err: cause, part }, 'not ready');
          failed[part] = 'does not answer';
        }),
      ),
    );
    return failed;
  }
  await upkeep.catchUp();
  upkeep.start();

  const server = createServer({
    schema,
    services: {
      index,
      admission,
      intake,
      knownFacts,
      live,
      limits,
      credentials,
      isGood,
      audit,
      plugins,
      queryTimeoutMs,
      now,
      makeId: uuidV7,
    },
    exports,
    logger,
    gate: options.gate ?? gate,
    offered,
    metrics,
    tracing,
    inFlight,
    checkReady,
  });

  return {
    server,
    listener: shedding(server, inFlight, graphqlEndpoint, () => metrics.refused('busy')),
    leave() {
      isLeaving = true;
    },
    async endSubscriptions() {
      exports.close();
      await live.close();
    },
    async close() {
      exports.close();
      await live.close();
      closing.abort(new Error('the API is stopping'));
      await log.close();
      await upkeep.stop();
      await index.close();
      await authentication.close();
      bucket.close();
    },
  };
}

/** Counts reports by what became of them. */
function countedIntake(intake: Intake, metrics: Metrics): Intake {
  return {
    async submit(report) {
      try {
        const taken = await intake.submit(report);
        metrics.received(taken.duplicate ? 'duplicate' : 'stored', report.droppedReports);
        return taken;
      } catch (cause) {
        metrics.received('refused');
        throw cause;
      }
    },
  };
}

/** A bucket that cannot be written, as on a full disk, can still be listed: only puts tell. */
function watchPuts(bucket: Bucket): { bucket: BucketWriter; check(): void } {
  let failed: { cause: unknown; at: number } | null = null;
  return {
    bucket: {
      ...bucket,
      async put(key, body) {
        try {
          await bucket.put(key, body);
          failed = null;
        } catch (cause) {
          failed = { cause, at: performance.now() };
          throw cause;
        }
      },
    },
    check() {
      if (failed && performance.now() - failed.at < failedPutCountsMs) throw failed.cause;
    },
  };
}
