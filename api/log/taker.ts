/**
 * taker: hands segments to the index, and finds out which of them it cannot take.
 */
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';
import type { SegmentSink } from './catch-up.ts';
import type { StoredSegment } from './segment.ts';

/** An index that takes none of so many has a fault of its own: they are not to blame. */
const maxRefusedInARow = 8;

/** Resolves to those that were taken. */
export type Taker = (segments: readonly StoredSegment[]) => Promise<readonly StoredSegment[]>;

/**
 * @param onRefused told of each segment that cannot be read or taken; it keeps no other out
 * @throws what the index throws, when that is not about a segment
 */
export function makeTaker(
  index: Pick<SegmentSink, 'apply'>,
  onRefused: (key: string, failure: Failure) => void,
): Taker {
  let refusedInARow = 0;

  async function take(segments: readonly StoredSegment[]): Promise<readonly StoredSegment[]> {
    try {
      await index.apply(segments);
      refusedInARow = 0;
      return segments;
    } catch (cause) {
      if (isFailure(cause, 'UNAVAILABLE')) throw cause;
      const [only, ...others] = segments;
      if (others.length > 0) return takeOneByOne(segments);
      if (only) refuse(only.key, cause);
      return [];
    }
  }

  async function takeOneByOne(segments: readonly StoredSegment[]): Promise<StoredSegment[]> {
    const taken: StoredSegment[] = [];
    for (const segment of segments) taken.push(...(await take([segment])));
    return taken;
  }

  function refuse(key: string, cause: unknown): void {
    if (isFailure(cause, 'CORRUPT')) {
      onRefused(key, cause);
      return;
    }
    refusedInARow += 1;
    if (refusedInARow > maxRefusedInARow) throw cause;
    const message = `index cannot take segment ${key}: ${messageOf(cause)}`;
    onRefused(key, new Failure('CORRUPT', message, { cause }));
  }

  return take;
}

function isFailure(cause: unknown, kind: Failure['kind']): cause is Failure {
  return cause instanceof Failure && cause.kind === kind;
}
