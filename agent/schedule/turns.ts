/**
 * turns: whether a plugin is asked for a report, or the report carries what it said last.
 *
 * A plugin with an interval is asked once in it; one that keeps failing is asked ever more rarely, and in
 * between is reported as SKIPPED with the reason. Pure: moments are handed in.
 */
import { errorText } from '../error-text.ts';
import { type Outcome, without } from '../outcome.ts';
import { type Grid, gridOf, type Moment, tickAfter } from './grid.ts';

export type TurnSettings = {
  /** What the phase of its grid comes from. */
  key: string;
  /** Null, or no more than that of reports, is due for each of them. */
  intervalMs: number | null;
  /** From one report to the next. */
  reportIntervalMs: number;
};

export type Turns = {
  /** What to report in place of a collection; null when it is the plugin's turn. */
  insteadOf(moment: Moment): Outcome | null;
  /** Takes what a collection brought that began at this moment. */
  take(outcome: Outcome, moment: Moment): void;
  /** Milliseconds from this moment until it is asked again. */
  idleMs(moment: Moment): number;
  /** Milliseconds from this moment until a report asks it; 0 when the next one does. */
  dueInMs(moment: Moment): number;
};

/** However often it has failed, a plugin is tried as often as this: who repairs it should not wait for a day. */
const longestBackOffMs = 3_600_000;
/** A report may come a little early; waiting for the next one would double the time. */
const early = 0.1;

export function createTurns({ key, intervalMs, reportIntervalMs }: TurnSettings): Turns {
  const stepMs = Math.max(intervalMs ?? 0, reportIntervalMs);
  const holds = stepMs > reportIntervalMs;
  let grid: Grid | null = null;
  let dueAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let instead: Outcome | null = null;
  return {
    insteadOf: ({ now }) => (now < dueAt ? instead : null),
    take(outcome, moment) {
      const { now, wallNow } = moment;
      if (outcome.status === 'OK' || outcome.status === 'SKIPPED') {
        failures = 0;
        dueAt = Number.NEGATIVE_INFINITY;
        if (!holds) return;
        grid ??= gridOf(key, stepMs, moment);
        dueAt = tickAfter(grid, now);
        // What was measured then is not what it is now.
        instead = { ...outcome, readings: null };
        return;
      }
      failures += 1;
      const waitMs = backOffMs(failures, stepMs);
      dueAt = now + waitMs * (1 - early);
      const again = new Date(Math.round((wallNow + waitMs) / 1_000) * 1_000)
        .toISOString()
        .replace('.000', '');
      const times = failures === 1 ? 'once' : `${failures} times`;
      instead = without(
        'SKIPPED',
        errorText(`failed ${times}, is tried again at ${again}; last: ${outcome.error}`),
      );
    },
    idleMs: ({ now }) => Math.max(dueAt - now, reportIntervalMs),
    dueInMs: ({ now }) => Math.max(dueAt - now, 0),
  };
}

/** Twice as long after each failure in a row, beginning with the next time it would be asked anyway. */
export function backOffMs(failures: number, stepMs: number): number {
  return Math.min(stepMs * 2 ** Math.min(failures - 1, 40), longestBackOffMs);
}
