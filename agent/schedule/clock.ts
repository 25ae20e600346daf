/**
 * clock: the time that the agent goes by: never set, never back, and going on while the machine sleeps.
 *
 * Of what Node offers, `performance.now` stands still in a suspended machine and `Date.now` goes where somebody sets it;
 * the time since boot, from /proc/uptime on Linux, does neither but is coarse. So the fine one is used, and
 * moved on by what the coarse one says was slept through.
 */
import { uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export type Clock = {
  /** Milliseconds from any fixed point; never set back. */
  now(): number;
  /** May take longer than that, by as long as the machine sleeps. @throws once `stop` is aborted */
  sleep(ms: number, stop: AbortSignal): Promise<void>;
};

/** In milliseconds each. */
export type TimeSources = { running(): number; sinceBoot(): number };

/** Above what the time since boot is rounded to, whole seconds on some systems. */
const noticedMs = 2_000;

export function createClock(sources: TimeSources = systemTime): Clock {
  const { running, sinceBoot } = sources;
  const apart = () => sinceBoot() - running();
  const apartAtStart = apart();
  let sleptMs = 0;
  return {
    now() {
      const moreMs = apart() - apartAtStart - sleptMs;
      if (moreMs > noticedMs) sleptMs += moreMs;
      return running() + sleptMs;
    },
    async sleep(ms, stop) {
      await sleep(ms, undefined, { signal: stop });
    },
  };
}

const systemTime: TimeSources = {
  running: () => performance.now(),
  sinceBoot: () => uptime() * 1_000,
};
