/**
 * service: wires bucket, log, index and server into one running whole, and takes it apart again.
 */
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import type { AnyPlugin } from '../plugins/plugin.ts';
import type { Bucket } from './bucket/bucket.ts';
import type { IndexStore } from './index/index-store.ts';
import { openIntake } from './intake.ts';
import { catchUp } from './log/catch-up.ts';
import { openLog } from './log/log.ts';
import { segmentPrefix } from './log/segment-key.ts';
import { createServer, type Server } from './server.ts';

/** Other writers of the same bucket show up here within this time. */
const catchUpEveryMs = 60_000;

export type ServiceOptions = {
  bucket: Bucket;
  index: IndexStore;
  /** What the server answers with; its types are those of `plugins`. */
  schema: GraphQLSchema;
  plugins: readonly AnyPlugin[];
  logger: Logger;
  /** Aborted when the process is told to stop: ends a catch-up that is under way. */
  signal?: AbortSignal;
};

export type Service = {
  server: Server;
  /** Refuses new reports, waits for those under way, and closes bucket and index. */
  close(): Promise<void>;
};

/**
 * Resolves once the index holds all that the bucket does.
 *
 * @throws Failure UNAVAILABLE when the bucket does not answer
 */
export async function openService({
  bucket,
  index,
  schema,
  plugins,
  logger,
  signal,
}: ServiceOptions): Promise<Service> {
  const log = openLog({
    bucket,
    makeId: uuidV7,
    async onSegment(segment) {
      try {
        await index.apply(segment);
      } catch (cause) {
        // The reports are safe in the bucket; catch-up brings them into the index.
        logger.error({ err: cause, key: segment.key }, 'index did not take a segment');
      }
    },
  });
  const intake = openIntake({
    log,
    index,
    onIndexError: (cause) => logger.error({ err: cause }, 'index did not answer'),
  });

  const follow = () =>
    catchUp({
      bucket,
      index,
      signal,
      onCorrupt: (failure) => logger.error({ err: failure }, 'segment is corrupt'),
    });
  const { segments, reports } = await follow();
  logger.info({ bucket: bucket.location, segments, reports }, 'index caught up');

  const server = createServer({
    schema,
    services: { index, intake, plugins, now: Date.now, makeId: uuidV7 },
    logger,
    async checkReady() {
      await index.ping();
      for await (const _key of bucket.list({ prefix: segmentPrefix })) break;
    },
  });

  let following: Promise<void> | null = null;
  const timer = setInterval(() => {
    following ??= follow()
      .then(({ segments: applied }) => {
        if (applied > 0) logger.info({ segments: applied }, 'index caught up');
      })
      .catch((cause) => logger.warn({ err: cause }, 'index cannot catch up'))
      .finally(() => {
        following = null;
      });
  }, catchUpEveryMs);

  return {
    server,
    async close() {
      clearInterval(timer);
      await log.close();
      await following;
      index.close();
      bucket.close();
    },
  };
}
