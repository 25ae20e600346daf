import { afterEach, expect, test, vi } from 'vitest';
import { storedReport } from '../test/support/reports.ts';
import { openIndexFeed } from './index-feed.ts';
import type { Segment } from './log/segment.ts';

afterEach(() => {
  vi.useRealTimers();
});

const segment = (key: string, reports = 1): Segment => ({
  key,
  reports: Array.from({ length: reports }, () => storedReport()),
});

/** An index whose transactions wait until the test lets each through, or fails it. */
function gatedIndex() {
  const calls: { keys: string[]; gate: PromiseWithResolvers<void> }[] = [];
  const missed: string[] = [];
  const feed = openIndexFeed({
    index: {
      apply(segments) {
        const gate = Promise.withResolvers<void>();
        calls.push({ keys: segments.map(({ key }) => key), gate });
        return gate.promise;
      },
    },
    onMissed: (keys) => missed.push(...keys),
  });
  return { feed, calls, missed };
}

test('what comes while the index is at work goes to it together', async () => {
  const { feed, calls } = gatedIndex();
  const added = ['a', 'b', 'c'].map((key) => feed.add(segment(key)));
  calls[0]?.gate.resolve();
  await added[0];
  expect(calls.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c']]);
  calls[1]?.gate.resolve();
  await Promise.all(added);
});

test('one transaction has a bounded number of reports', async () => {
  const { feed, calls } = gatedIndex();
  const added = [segment('a'), segment('b', 3_000), segment('c', 3_000)].map(feed.add);
  calls[0]?.gate.resolve();
  await added[0];
  expect(calls.at(-1)?.keys).toEqual(['b']);
  calls[1]?.gate.resolve();
  await added[1];
  calls[2]?.gate.resolve();
  await added[2];
});

test('an index that fails costs nobody an acknowledgement, and is told', async () => {
  const { feed, calls, missed } = gatedIndex();
  const added = feed.add(segment('a'));
  calls[0]?.gate.reject(new Error('down'));
  await added;
  expect(missed).toEqual(['a']);
});

test('an index that hangs holds up nobody for long, and what waits for it is bounded', async () => {
  vi.useFakeTimers();
  const { feed, calls, missed } = gatedIndex();
  const added = feed.add(segment('a', 15_000));
  await vi.advanceTimersByTimeAsync(2_000);
  await added;
  const second = feed.add(segment('b', 10_000));
  await vi.advanceTimersByTimeAsync(2_000);
  await second;
  // Past the bound it is left to catch-up at once.
  await feed.add(segment('c'));
  expect(missed).toEqual(['c']);
  expect(calls).toHaveLength(1);
  vi.useRealTimers();
  calls[0]?.gate.resolve();
});
