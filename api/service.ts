/**
 * service: wires bucket, log, index, upkeep and server into one running whole, and takes it apart again.
 */
import type { RequestListener } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { Bucket, BucketWriter } from './bucket/bucket.ts';
import type { IndexStore } from './index/index-store.ts';
import { openExports } from './export/exports.ts';
import { openIndexFeed } from './index-feed.ts';
import { openIntake } from './intake.ts';
import { openKnownFacts } from './known-facts.ts';
import { openInFlight } from './limits/in-flight.ts';
import { shedding } from './limits/shedding.ts';
import { type LimitsSettings, makeLimits } from './limits/limits.ts';
import { openLive } from './live/live.ts';
import { openLog } from './log/log.ts';
import { segmentPrefix } from './log/segment-key.ts';
import { maxBodyBytes } from './read-body.ts';
import { createServer, graphqlEndpoint, type Server } from './server.ts';
import { makeUpkeep } from './upkeep.ts';
import { within } from './within.ts';

/**
 * So long a put that failed speaks for the next one. Not for ever: who sends only to an API that is ready would never
 * let it try again.
 */
const failedPutCountsMs = 30_000;

const defaultQueryTimeoutMs = 30_000;

const noLimits: LimitsSettings = { operationLimit: null, reportLimit: null, addressLimit: null };

/** Stores that take longer do not count as ready, whatever they will answer. */
const readyPatienceMs = 5_000;

export type ServiceOptions = {
  bucket: Bucket;
  index: IndexStore;
  /** What the server answers with; its types are those of `plugins`. */
  schema: GraphQLSchema;
  plugins: readonly AnyPlugin[];
  logger: Logger;
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
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
};

export type Service = {
  server: Server;
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
  const { bucket, index, schema, plugins, logger, commitLingerMs, retentionMs = null } = options;
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
      upkeep.fellBehind();
    },
  });
  const puts = watchPuts(bucket);
  const log = openLog({
    bucket: puts.bucket,
    onSegment: feed.add,
    ...(commitLingerMs === undefined ? {} : { settings: { lingerMs: commitLingerMs } }),
  });
  const onIndexError = (cause: unknown) => logger.error({ err: cause }, 'index did not answer');
  const intake = openIntake({ log, index, onIndexError });
  const knownFacts = openKnownFacts({ index, onIndexError, maxGrowthBytes: maxBodyBytes });
  const live = openLive({ index, onError: (cause) => logger.error({ err: cause }, 'subscription failed') });
  const exports = openExports({ index, plugins, schema, queryTimeoutMs, logger, now });
  async function answerAll(): Promise<void> {
    puts.check();
    await index.ping();
    for await (const _object of bucket.list({ prefix: segmentPrefix, limit: 1 })) break;
  }
  await upkeep.catchUp();
  upkeep.start();

  const server = createServer({
    schema,
    services: { index, intake, knownFacts, live, limits, plugins, queryTimeoutMs, now, makeId: uuidV7 },
    exports,
    logger,
    inFlight,
    checkReady: () => within(readyPatienceMs, 'the bucket or the index', answerAll()),
  });

  return {
    server,
    listener: shedding(server, inFlight, graphqlEndpoint),
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
      bucket.close();
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
