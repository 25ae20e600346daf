/** alarm: a sleep that can be ended from outside, by whoever has something to do for the sleeper. */
import type { Clock } from '../schedule/clock.ts';

export type Alarm = {
  /** Ends the sleep, or the next one at once. */
  ring(): void;
  /**
   * @param ms null is until it rings
   * @throws the reason of `stop` once that is aborted
   */
  sleep(ms: number | null, stop: AbortSignal): Promise<void>;
};

export function createAlarm(clock: Clock): Alarm {
  let ringing = Promise.withResolvers<void>();
  return {
    ring: () => ringing.resolve(),
    async sleep(ms, stop) {
      stop.throwIfAborted();
      const over = new AbortController();
      const onStop = () => over.abort(stop.reason);
      stop.addEventListener('abort', onStop);
      const stopped = new Promise<void>((resolve) => {
        over.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      try {
        const slept = ms === null ? stopped : clock.sleep(ms, over.signal);
        await Promise.race([ringing.promise, slept, stopped]);
      } catch (error) {
        stop.throwIfAborted();
        throw error;
      } finally {
        stop.removeEventListener('abort', onStop);
        over.abort(new Error('awake'));
        ringing = Promise.withResolvers();
      }
      stop.throwIfAborted();
    },
  };
}
