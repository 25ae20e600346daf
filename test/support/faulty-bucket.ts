/**
 * faulty-bucket: a bucket that fails as real ones do, the same for the same seed.
 *
 * Waits by turns of the event loop, never by the clock: what happens between two operations of one is decided by the
 * random numbers alone.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Bucket } from '../../api/bucket/bucket.ts';
import { Failure } from '../../api/failure.ts';
import type { Random } from './noise.ts';

/** Shares of operations, 0 to 1; each 0 if not given. */
export type Faults = {
  /** Fail before anything is done. */
  errors: number;
  /** Puts and deletes that are done, and fail all the same. */
  timeoutsAfterSuccess: number;
  /** Take several turns of the event loop; of a list, also each of its steps. */
  slow: number;
  /** Lists that fail part-way. */
  partialLists: number;
  /** Gets that find nothing, though the object is there, or was a moment ago. */
  goneBetween: number;
};

export type FaultyBucket = Bucket & {
  /** No faults from here on. */
  heal(): void;
  /** How many there were of each kind. */
  counts: Record<keyof Faults, number>;
};

const none: Faults = { errors: 0, timeoutsAfterSuccess: 0, slow: 0, partialLists: 0, goneBetween: 0 };
const maxTurns = 6;
/** A list that fails does so before one of so many of its keys, or at its end. */
const maxListed = 6;

export function faultyBucket(
  bucket: Bucket,
  { random, ...shares }: Partial<Faults> & { random: Random },
): FaultyBucket {
  let faults = { ...none, ...shares };
  const counts = { ...none };

  function happens(kind: keyof Faults): boolean {
    // Asked for in any case: a share of 0 must not change what comes after.
    const does = random() < faults[kind];
    if (does) counts[kind] += 1;
    return does;
  }

  async function wait(): Promise<void> {
    if (!happens('slow')) return;
    for (let left = 1 + Math.floor(random() * maxTurns); left > 0; left -= 1) await turn();
  }

  async function before(what: string): Promise<void> {
    await wait();
    if (happens('errors')) throw new Failure('UNAVAILABLE', `cannot ${what}: made to fail`);
  }

  async function change(what: string, work: () => Promise<void>): Promise<void> {
    await before(what);
    await work();
    await wait();
    if (happens('timeoutsAfterSuccess')) {
      throw new Failure('UNAVAILABLE', `cannot ${what}: done, and made to fail`);
    }
  }

  return {
    ...bucket,
    counts,
    heal() {
      faults = none;
    },
    put: (key, body) => change(`put ${key}`, () => bucket.put(key, body)),
    delete: (key) => change(`delete ${key}`, () => bucket.delete(key)),
    async get(key, range) {
      await before(`get ${key}`);
      if (happens('goneBetween')) return null;
      return bucket.get(key, range);
    },
    async *list(options) {
      await before('list');
      let left = happens('partialLists') ? Math.floor(random() * maxListed) : Number.POSITIVE_INFINITY;
      for await (const object of bucket.list(options)) {
        if (left === 0) break;
        await wait();
        yield object;
        left -= 1;
      }
      if (left !== Number.POSITIVE_INFINITY)
        throw new Failure('UNAVAILABLE', 'cannot list: made to end early');
    },
  };
}

export type DyingBucket = { bucket: Bucket; died: Promise<void> };

/**
 * The bucket of a process that dies in its `last`th operation, which is done or not, as `random` says. Nobody
 * hears of that, and nothing that is asked for later is ever done or answered.
 */
export function dyingBucket(bucket: Bucket, { random, last }: { random: Random; last: number }): DyingBucket {
  const died = Promise.withResolvers<void>();
  let asked = 0;

  async function live<T>(work: () => Promise<T>): Promise<T> {
    asked += 1;
    if (asked < last) return work();
    const isDone = asked === last && random() < 0.5;
    if (isDone) await work().catch(() => {});
    died.resolve();
    return new Promise<never>(() => {});
  }

  return {
    died: died.promise,
    bucket: {
      ...bucket,
      put: (key, body) => live(() => bucket.put(key, body)),
      delete: (key) => live(() => bucket.delete(key)),
      get: (key, range) => live(() => bucket.get(key, range)),
      async *list(options) {
        await live(async () => {});
        yield* bucket.list(options);
      },
    },
  };
}
