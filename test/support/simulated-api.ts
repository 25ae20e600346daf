/**
 * simulated-api: an API in one piece of this process: log, intake, index feed and upkeep as the service wires them, on
 * stores that fail, with a clock that the test moves, and with an end as sudden as a process's.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import type { Bucket } from '../../api/bucket/bucket.ts';
import { Failure } from '../../api/failure.ts';
import type { IndexStore } from '../../api/index/index-store.ts';
import { openIndexFeed } from '../../api/index-feed.ts';
import { openIntake } from '../../api/intake.ts';
import { type CompactProgress, compact } from '../../api/log/compact.ts';
import { openLog } from '../../api/log/log.ts';
import type { StoredReport } from '../../api/log/stored-report.ts';
import { makeUpkeep } from '../../api/upkeep.ts';
import type { Random } from './noise.ts';

/** A report as its agent sends it. */
export type Draft = Omit<StoredReport, 'receivedAt'>;

export type SimulatedApi = {
  /** @throws Failure UNAVAILABLE when it was not acknowledged, or nobody was left to say so */
  submit(draft: Draft): Promise<{ duplicate: boolean }>;
  /** As on start and every half minute. */
  catchUp(): Promise<void>;
  /** As every hour. */
  compact(): Promise<void>;
  /** From now on nothing more is done or answered; what its stores are doing, they may do to the end. */
  crash(): Promise<void>;
  close(): Promise<void>;
};

export type SimulatedApiOptions = {
  /** With its faults. */
  bucket: Bucket;
  index: IndexStore;
  /** Milliseconds since 1970; another one each time it is asked for a report. */
  receive: () => number;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Told of segments that the index did not take. */
  onMissed: () => void;
  /** Told of how many segments were merged. */
  onMerged: (sources: number) => void;
  /** Told of what must never happen. */
  onProblem: (problem: string) => void;
};

export function openSimulatedApi(options: SimulatedApiOptions): SimulatedApi {
  const { receive, now, onMissed, onMerged, onProblem } = options;
  const life = makeLife();
  const bucket = life.of(options.bucket);
  const index = life.of(options.index);
  const logger = pino({ level: 'error' }, { write: onProblem });
  const stopping = new AbortController();
  const upkeep = makeUpkeep({ bucket, index, retentionMs: null, logger, signal: stopping.signal, now });
  const feed = openIndexFeed({
    index,
    onMissed() {
      onMissed();
      upkeep.fellBehind();
    },
  });
  const log = openLog({ bucket, onSegment: feed.add, settings: { lingerMs: 1, patienceMs: 3 } });
  const intake = openIntake({ log, index, onIndexError: () => {} });
  return {
    async submit(draft) {
      const { duplicate } = await life.answer(
        intake.submit({ ...draft, receivedAt: new Date(receive()).toISOString() }),
      );
      return { duplicate };
    },
    catchUp: () => life.answer(upkeep.catchUp()),
    async compact() {
      const onCorrupt = ({ message }: Failure) => onProblem(message);
      let merged = 0;
      const onProgress = (progress: CompactProgress) => {
        onMerged(progress.merged - merged);
        merged = progress.merged;
      };
      await life.answer(compact({ bucket, index, level: 1, now, onCorrupt, onProgress }));
    },
    async crash() {
      life.end();
      stopping.abort();
      await life.quiet();
      // The system closes what a dead process had open.
      await options.index.close();
    },
    async close() {
      await log.close();
      await upkeep.stop();
      await life.quiet();
      await options.index.close();
    },
  };
}

/** Lets nothing through from some moment on, and knows what is still under way. */
function makeLife() {
  let alive = true;
  let underWay = 0;
  const check = () => {
    if (!alive) throw new Failure('UNAVAILABLE', 'the process is dead');
  };

  async function answer<T>(work: Promise<T>): Promise<T> {
    underWay += 1;
    try {
      return await work;
    } finally {
      underWay -= 1;
      check();
    }
  }

  async function* answerEach<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const item of items) {
      check();
      yield item;
    }
  }

  return {
    answer,
    end() {
      alive = false;
    },
    async quiet() {
      while (underWay > 0) await turn();
    },
    /** The same store, for as long as the process lives. */
    of<Store extends object>(store: Store): Store {
      return Object.fromEntries(
        Object.entries(store).map(([name, member]) => {
          if (typeof member !== 'function') return [name, member];
          return [
            name,
            (...args: unknown[]) => {
              if (name === 'list') return answerEach(alive ? member(...args) : deadList());
              return alive ? answer(member(...args)) : Promise.reject(new Failure('UNAVAILABLE', 'dead'));
            },
          ];
        }),
      ) as Store;
    },
  };

  // biome-ignore lint/correctness/useYield: a list that ends before its first object
  async function* deadList() {
    check();
  }
}

/** An index whose transactions fail now and then, some of them after they were made. */
export function faultyIndex(
  index: IndexStore,
  { random, share, onFault }: { random: Random; share: () => number; onFault: () => void },
): IndexStore {
  const fails = (): boolean => {
    const does = random() < share();
    if (does) onFault();
    return does;
  };
  const failing = new Failure('UNAVAILABLE', 'the index does not answer: made to fail');
  return {
    ...index,
    async apply(segments) {
      if (fails()) throw failing;
      await index.apply(segments);
      if (fails()) throw failing;
    },
    async appliedOf(keys) {
      if (fails()) throw failing;
      return index.appliedOf(keys);
    },
    async reportsById(ids) {
      if (fails()) throw failing;
      return index.reportsById(ids);
    },
    async mark() {
      if (fails()) throw failing;
      return index.mark();
    },
    async setMark(mark) {
      if (fails()) throw failing;
      await index.setMark(mark);
      if (fails()) throw failing;
    },
    async replaced(parts, sources) {
      if (fails()) throw failing;
      await index.replaced(parts, sources);
      if (fails()) throw failing;
    },
  };
}
