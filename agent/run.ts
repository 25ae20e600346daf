/**
 * run: the daemon's loop: a report at once, then one at every tick of the host's own grid until it is stopped.
 *
 * A report that cannot be collected or submitted is logged with its cause, and the next one goes on.
 * Time is handed in.
 */
import { errorText } from './error-text.ts';
import type { PluginResult, SubmitReportInput } from './report.ts';
import type { Clock } from './schedule/clock.ts';
import { type Grid, tickAfter } from './schedule/grid.ts';
import { type Receipt, SubmitError } from './submit.ts';

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
  submit(report: SubmitReportInput, stop: AbortSignal): Promise<Receipt>;
  log: Log;
  clock: Clock;
};

/** How long at most a machine is awake again before that is noticed: a timer does not count what is slept through. */
const lookEveryMs = 30_000;
/** Later than this, and a tick was slept through. */
const missedMs = 60_000;

/** Returns once `stop` is aborted, and not before; a report that is under way then is given up. */
export async function run(parts: RunParts, stop: AbortSignal): Promise<void> {
  const { grid, clock } = parts;
  try {
    for (;;) {
      await reportOnce(parts, stop);
      // From the grid and not from the last report, so that slow ones shift nothing; what was missed meanwhile is not
      // made up for.
      const tick = tickAfter(grid, clock.now());
      await sleepUntil(tick, clock, stop);
      if (clock.now() - tick > missedMs) await sleepUntil(afterSleep(grid, clock.now()), clock, stop);
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

/**
 * When to report after ticks were slept through: soon, and still not together with all that woke at the same
 * moment, as the machines on one hypervisor do.
 */
function afterSleep(grid: Grid, now: number): number {
  return tickAfter({ ...grid, intervalMs: Math.min(grid.intervalMs, missedMs) }, now);
}

async function sleepUntil(moment: number, clock: Clock, stop: AbortSignal): Promise<void> {
  for (let left = moment - clock.now(); left > 0; left = moment - clock.now()) {
    await clock.sleep(Math.min(left, lookEveryMs), stop);
  }
  stop.throwIfAborted();
}

async function reportOnce({ collect, submit, log, clock }: RunParts, stop: AbortSignal): Promise<void> {
  const startedAt = clock.now();
  try {
    const report = await collect(stop);
    for (const result of report.results) logFailure(result, log);
    const collectMs = Math.round(clock.now() - startedAt);
    const { reportId, duplicate } = await submit(report, stop);
    const submitMs = Math.round(clock.now() - startedAt) - collectMs;
    log.info({ reportId, duplicate, collectMs, submitMs }, 'report submitted');
  } catch (error) {
    stop.throwIfAborted();
    const code = error instanceof SubmitError ? error.code : 'INTERNAL';
    log.error({ code, cause: errorText(error) }, 'report not submitted');
  }
}

function logFailure({ plugin, status, error, durationMs }: PluginResult, log: Log): void {
  if (status === 'ERROR' || status === 'TIMEOUT') {
    log.warn({ plugin, status, cause: error, durationMs }, 'plugin failed');
  }
}
