/** simulated-world: a bucket, one or two APIs on it, and a clock; all that chance decides comes from one seed. */
import { join } from 'node:path';
import type { Bucket } from '../../api/bucket/bucket.ts';
import { openFolderBucket } from '../../api/bucket/folder-bucket.ts';
import { Failure } from '../../api/failure.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { type Faults, type FaultyBucket, faultyBucket } from './faulty-bucket.ts';
import { memoryBucket } from './memory-bucket.ts';
import { seededRandom } from './noise.ts';
import { faultyIndex, openSimulatedApi, type SimulatedApi } from './simulated-api.ts';
import type { SimulatedIndexes, SimulatedIndexesOptions } from './simulated-indexes.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const minuteMs = 60 * 1000;
export const hourMs = 60 * minuteMs;

const startAt = Date.parse('2026-05-01T00:00:00Z');
const usualFaults: Faults = {
  errors: 0.05,
  timeoutsAfterSuccess: 0.08,
  slow: 0.3,
  partialLists: 0.08,
  // What this does to readers is proven in compact-safety: here all comes to rest in one round.
  goneBetween: 0,
};
const usualIndexFaults = 0.04;
const stallShare = 0.06;

/** A place for an API; null while it is down. */
export type Slot = { number: number; api: SimulatedApi | null };

/** Counts what came about. */
export type Tally = Omit<Faults, 'goneBetween'> & {
  /** Puts that failed for their API, and landed later all the same. */
  stalledPuts: number;
  indexFaults: number;
  segmentsMissed: number;
  merged: number;
};

export type World = {
  bucket: Bucket;
  slots: readonly Slot[];
  indexes: SimulatedIndexes;
  /** What must never happen, and did. */
  problems: string[];
  random(): number;
  below(end: number): number;
  chance(share: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** Milliseconds since 1970. */
  now(): number;
  leap(ms: number): void;
  /** Lets puts land that have been on their way since they failed; whether there were any. */
  land(): Promise<boolean>;
  /** Whether there may be such puts. */
  hasStalls: boolean;
  /** Opens the API of a slot, which tries until it has caught up, as whoever supervises it would. */
  open(slot: Slot): Promise<void>;
  /** No faults from here on. */
  heal(): void;
  tally(): Tally;
};

export type WorldOptions = {
  seed: number;
  plugins: readonly AnyPlugin[];
  makeIndexes: (options: SimulatedIndexesOptions) => SimulatedIndexes;
};

export async function makeWorld({ seed, plugins, makeIndexes }: WorldOptions): Promise<World> {
  const random = seededRandom(seed);
  const below = (end: number) => Math.floor(random() * end);
  const chance = (share: number) => random() < share;
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const fork = () => seededRandom(below(2 ** 31));
  const folder = await temporaryFolder();
  const bucket = chance(0.25)
    ? await openFolderBucket(join(folder, 'bucket'))
    : memoryBucket({ pageSize: 1 + below(20) });
  const indexes = makeIndexes({ folder, bucket: bucket.location, plugins });
  const scale = pick([0.2, 1, 1]);
  const faults: Partial<Faults> = Object.fromEntries(
    Object.entries(usualFaults).map(([kind, share]) => [kind, share * scale]),
  );
  const faulty: FaultyBucket[] = [];
  const problems: string[] = [];
  const hasStalls = chance(0.4);
  const stalled: (() => Promise<void>)[] = [];
  const counts = { stalledPuts: 0, indexFaults: 0, segmentsMissed: 0, merged: 0 };
  let clock = startAt;
  let healed = false;

  const slots = Array.from({ length: 1 + below(2) }, (_, number): Slot => ({ number, api: null }));
  // Clocks of servers differ. Odd and even, so that no report is received twice in the same millisecond.
  const ahead = 1 + 2 * (below(8 * minuteMs) - 4 * minuteMs);
  const aheadOf = ({ number }: Slot) => (number === 0 ? 0 : ahead);

  /** As where a request is lost to its sender, and some machine in between delivers it at last. */
  function stalling(faulty: Bucket): Bucket {
    if (!hasStalls) return faulty;
    const own = fork();
    return {
      ...faulty,
      async put(key, body) {
        if (healed || own() >= stallShare) return faulty.put(key, body);
        counts.stalledPuts += 1;
        stalled.push(() => bucket.put(key, body));
        throw new Failure('UNAVAILABLE', 'no answer: made to stall');
      },
    };
  }

  return {
    bucket,
    hasStalls,
    slots,
    indexes,
    problems,
    random,
    below,
    chance,
    pick,
    now: () => clock,
    leap(ms) {
      clock += ms;
    },
    async land() {
      const landing = stalled.splice(0);
      await Promise.all(landing.map((put) => put()));
      return landing.length > 0;
    },
    async open(slot) {
      const own = faultyBucket(bucket, { random: fork(), ...faults });
      if (healed) own.heal();
      faulty.push(own);
      const index = faultyIndex(await indexes.open(slot.number), {
        random: fork(),
        share: () => (healed ? 0 : usualIndexFaults * scale),
        onFault: () => {
          counts.indexFaults += 1;
        },
      });
      const api = openSimulatedApi({
        bucket: stalling(own),
        index,
        receive() {
          clock += 2 * (1 + below(2000));
          return clock + aheadOf(slot);
        },
        now: () => clock + aheadOf(slot),
        onMissed() {
          counts.segmentsMissed += 1;
        },
        onMerged(sources) {
          counts.merged += sources;
        },
        onProblem: (problem) => problems.push(problem),
      });
      while (!(await api.catchUp().then(() => true, unlessBug)));
      slot.api = api;
    },
    heal() {
      healed = true;
      for (const own of faulty) own.heal();
    },
    tally() {
      const sum = (kind: keyof Faults) => faulty.reduce((all, own) => all + own.counts[kind], 0);
      return {
        ...counts,
        errors: sum('errors'),
        timeoutsAfterSuccess: sum('timeoutsAfterSuccess'),
        slow: sum('slow'),
        partialLists: sum('partialLists'),
      };
    },
  };
}

/** Null for what a client or an operator has to expect at any time; everything else is a bug. */
export function unlessBug(cause: unknown): null {
  if (!(cause instanceof Failure) || cause.kind !== 'UNAVAILABLE') throw cause;
  return null;
}
