/**
 * run: the daemon's loop: a report at once, then one at every tick of the host's own grid until it is stopped.
 *
 * Collects and hands over; delivery is a loop of its own beside this one. A report that cannot be collected is
 * logged with its cause, and the next one goes on. Time is handed in.
 */
import type { Alarm } from './delivery/alarm.ts';
import type { Outbox } from './delivery/outbox.ts';
import { errorText } from './error-text.ts';
import type { PluginResult, SubmitReportInput } from './report.ts';
import type { Clock } from './schedule/clock.ts';
import { type Grid, tickAfter } from './schedule/grid.ts';

/** A fixed message and its fields, as pino takes them. */
export type Log = Record<
  'info' | 'warn' | 'error',
  (fields: Record<string, unknown>, message: string) => void
>;

export type RunParts = {
  /** When reports are due, in the time of `clock`. */
  grid: Grid;
  /** Collects one report. */
  collect(stop: AbortSignal): Promise<SubmitReportInput>;
  /** Takes each report over. */
  outbox: Outbox;
  log: Log;
  clock: Clock;
  /** Rung when there is something to renew. */
  alarm: Alarm;
  /** Called between two reports only: takes over new settings and returns the grid then; null when there are none. */
  renew(): Promise<Grid | null>;
};

/** How long at most a machine is awake again before that is noticed: a timer does not count what is slept through. */
const lookEveryMs = 30_000;
/** Later than this, and a tick was slept through. */
const missedMs = 60_000;

/** Returns once `stop` is aborted, and not before; a report that is under way then is given up. */
export async function run(parts: RunParts, stop: AbortSignal): Promise<void> {
  const { clock } = parts;
  let { grid } = parts;
  try {
    for (;;) {
      await reportOnce(parts, stop);
      // From the grid and not from the last report, so that slow ones shift nothing; what was missed meanwhile is not
      // made up for.
      let tick = tickAfter(grid, clock.now());
      for (let isLate = false; ; ) {
        const renewed = await sleepUntil(tick, parts, stop);
        if (renewed) {
          grid = renewed;
          tick = soon(grid, clock.now());
        } else if (!isLate && clock.now() - tick > missedMs) {
          isLate = true;
          tick = soon(grid, clock.now());
        } else break;
      }
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

/**
 * When to report after ticks were slept through, or settings became others: soon, and still not together with all that woke
 * or were changed at the same moment, as the machines on one hypervisor or a whole fleet are.
 */
function soon(grid: Grid, now: number): number {
  return tickAfter({ ...grid, intervalMs: Math.min(grid.intervalMs, missedMs) }, now);
}

/** Returns early, with the new grid, when settings became others. */
async function sleepUntil(
  moment: number,
  { clock, alarm, renew }: RunParts,
  stop: AbortSignal,
): Promise<Grid | null> {
  for (let left = moment - clock.now(); left > 0; left = moment - clock.now()) {
    await alarm.sleep(Math.min(left, lookEveryMs), stop);
    const renewed = await renew();
    if (renewed) return renewed;
  }
  stop.throwIfAborted();
  return null;
}

async function reportOnce({ collect, outbox, log }: RunParts, stop: AbortSignal): Promise<void> {
  try {
    const report = await collect(stop);
    for (const result of report.results) logFailure(result, log);
    await outbox.add(report);
  } catch (error) {
    stop.throwIfAborted();
    log.error({ cause: errorText(error) }, 'report not collected');
  }
}

function logFailure({ plugin, status, error, durationMs }: PluginResult, log: Log): void {
  if (status === 'ERROR' || status === 'TIMEOUT') {
    log.warn({ plugin, status, cause: error, durationMs }, 'plugin failed');
  }
}
