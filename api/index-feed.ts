/**
 * index-feed: hands segments to the index as they become durable, several at once when they come faster than it
 * takes them.
 *
 * Never fails and never waits long: what the index does not take now is in the bucket, and catch-up brings it.
 */
import type { IndexStore } from './index/index-store.ts';
import type { Segment } from './log/segment.ts';

export type IndexFeed = {
  /** Resolves once the index has the segment, or it is clear that it will not have it soon. */
  add(segment: Segment): Promise<void>;
};

export type IndexFeedOptions = {
  index: Pick<IndexStore, 'apply'>;
  /** Told of segments that are left to catch-up. */
  onMissed: (keys: string[], cause: unknown) => void;
};

/** Reports of one transaction: so long may an acknowledgement wait for those of others. */
const maxReportsAtOnce = 5_000;
/** Reports that may wait in memory; with an index that hangs, more would only pile up. */
const maxReportsWaiting = 20_000;
/** After this the reports are acknowledged all the same. */
const patienceMs = 2_000;

type Waiting = { segment: Segment; settle: PromiseWithResolvers<void> };

export function openIndexFeed({ index, onMissed }: IndexFeedOptions): IndexFeed {
  const waiting: Waiting[] = [];
  let waitingReports = 0;
  let applying = false;

  async function drain(): Promise<void> {
    applying = true;
    while (waiting.length > 0) {
      const batch = take(waiting);
      const segments = batch.map(({ segment }) => segment);
      try {
        await index.apply(segments);
      } catch (cause) {
        onMissed(keysOf(segments), cause);
      }
      waitingReports -= countReports(segments);
      for (const { settle } of batch) settle.resolve();
    }
    applying = false;
  }

  return {
    async add(segment) {
      if (waitingReports > maxReportsWaiting) {
        onMissed([segment.key], new Error('the index takes segments too slowly'));
        return;
      }
      const settle = Promise.withResolvers<void>();
      waiting.push({ segment, settle });
      waitingReports += segment.reports.length;
      if (!applying) drain();
      const patience = setTimeout(settle.resolve, patienceMs);
      await settle.promise;
      clearTimeout(patience);
    },
  };
}

/** The first, and as many more as may be applied at once. */
function take(waiting: Waiting[]): Waiting[] {
  let reports = 0;
  const end = waiting.findIndex(({ segment }, position) => {
    reports += segment.reports.length;
    return position > 0 && reports > maxReportsAtOnce;
  });
  return waiting.splice(0, end === -1 ? waiting.length : end);
}

function countReports(segments: readonly Segment[]): number {
  return segments.reduce((sum, { reports }) => sum + reports.length, 0);
}

function keysOf(segments: readonly Segment[]): string[] {
  return segments.map(({ key }) => key);
}
