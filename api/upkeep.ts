/**
 * upkeep: what an API does beside answering: it follows the bucket, merges small segments, and forgets what is too old.
 *
 * One thing at a time, and never two of the same at once. A failure is logged, and the next round tries again.
 */
import type { Logger } from 'pino';
import type { Bucket } from './bucket/bucket.ts';
import type { IndexStore } from './index/index-store.ts';
import { type CatchUpOptions, catchUp } from './log/catch-up.ts';
import { compact } from './log/compact.ts';

/** What another API put and did not apply is applied within a minute. */
const followEveryMs = 30_000;
const hourMs = 60 * 60 * 1000;
/** Older hours were merged when they were younger, or are merged by the command. */
const compactSinceMs = 24 * hourMs;
/** A quarter of what the command makes: a group of segments is held in memory beside all else. */
const compactedTextBytes = 16 * 1024 * 1024;

export type UpkeepOptions = {
  bucket: Bucket;
  index: IndexStore;
  /** How long the index keeps reports; null for ever. */
  retentionMs: number | null;
  logger: Logger;
  /** Ends what is under way. */
  signal: AbortSignal;
  /** Milliseconds since 1970. */
  now: () => number;
};

export type Upkeep = {
  /** Brings the index up to what the bucket holds. */
  catchUp(): Promise<void>;
  /** Begins to do all of it, over and over. */
  start(): void;
  /** The next round looks further back than usual: the index may lack something. */
  fellBehind(): void;
  /** Since when the index lacks something, as far as is known, milliseconds since 1970; null where it lacks nothing. */
  behindSince(): number | null;
  /** Resolves when nothing is under way, and nothing will be. */
  stop(): Promise<void>;
};

export function makeUpkeep({ bucket, index, retentionMs, logger, signal, now }: UpkeepOptions): Upkeep {
  let behind = true;
  let behindSince: number | null = now();
  let wholeAt = Number.NEGATIVE_INFINITY;
  let round: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  const onCorrupt = (failure: Error) => logger.error({ err: failure }, 'segment cannot be read');

  async function follow(options: Partial<CatchUpOptions> = {}): Promise<void> {
    try {
      await index.refresh();
      // Without a mark it is a new one, in the place of one that somebody has deleted under us.
      const isNew = (await index.mark()) === null;
      const from = isNew || behind || now() - wholeAt > hourMs ? 'mark' : 'recent';
      const startedAt = now();
      behind = false;
      const notBefore = retentionMs === null ? {} : { notBefore: startedAt - retentionMs };
      const { segments, reports } = await catchUp({
        ...{ bucket, index, from, signal, now, onCorrupt, ...notBefore },
        ...options,
      });
      if (from === 'mark') wholeAt = startedAt;
      if (!behind) behindSince = null;
      if (segments > 0) logger.info({ segments, reports }, 'index caught up');
    } catch (cause) {
      fellBehind();
      throw cause;
    }
  }

  function fellBehind(): void {
    behind = true;
    behindSince ??= now();
  }

  async function tidy(): Promise<void> {
    if (retentionMs !== null) {
      const forgotten = await index.forget(now() - retentionMs);
      if (forgotten > 0) logger.info({ reports: forgotten }, 'index forgot what is too old');
    }
    const since = now() - compactSinceMs;
    const targetBytes = compactedTextBytes;
    const { merged, written } = await compact({ bucket, index, since, now, signal, onCorrupt, targetBytes });
    if (merged > 0) logger.info({ merged, written }, 'segments were merged');
  }

  let tidiedAt = now();
  async function doRound(): Promise<void> {
    try {
      await follow();
    } catch (cause) {
      if (!signal.aborted) logger.warn({ err: cause }, 'index cannot catch up');
    }
    if (signal.aborted || now() - tidiedAt < hourMs) return;
    tidiedAt = now();
    try {
      await tidy();
    } catch (cause) {
      if (!signal.aborted) logger.warn({ err: cause }, 'upkeep failed, and is tried again in an hour');
    }
  }

  return {
    async catchUp() {
      let toldAt = now();
      await follow({
        onProgress: ({ segments, reports, of }) => {
          if (now() - toldAt < 10_000) return;
          toldAt = now();
          logger.info({ segments, reports, of: of.segments }, 'index is catching up');
        },
      });
    },
    start() {
      timer = setInterval(() => {
        round ??= doRound().finally(() => {
          round = null;
        });
      }, followEveryMs);
    },
    fellBehind,
    behindSince: () => behindSince,
    async stop() {
      clearInterval(timer);
      await round;
    },
  };
}
