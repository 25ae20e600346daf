/**
 * run: the daemon's loop: a report at once, then one every interval until it is stopped.
 *
 * Collects and hands over; delivery is a loop of its own beside this one. A report that cannot be collected is
 * logged with its cause, and the next one goes on. Time and randomness are handed in.
 */
import type { Outbox } from './delivery/outbox.ts';
import { errorText } from './error-text.ts';
import type { PluginResult, SubmitReportInput } from './report.ts';

export type Clock = {
  /** Milliseconds from any fixed point; never set back. */
  now(): number;
  /** @throws once `stop` is aborted */
  sleep(ms: number, stop: AbortSignal): Promise<void>;
};

/** A fixed message and its fields, as pino takes them. */
export type Log = Record<
  'info' | 'warn' | 'error',
  (fields: Record<string, unknown>, message: string) => void
>;

export type RunParts = {
  intervalMs: number;
  /** Collects one report. */
  collect(stop: AbortSignal): Promise<SubmitReportInput>;
  /** Takes each report over. */
  outbox: Outbox;
  log: Log;
  clock: Clock;
  /** From 0 up to 1, as `Math.random`. */
  random(): number;
};

/** How far an interval may be from the configured one, as a share of it. */
const spread = 0.1;

/** Returns once `stop` is aborted, and not before; a report that is under way then is given up. */
export async function run(parts: RunParts, stop: AbortSignal): Promise<void> {
  const { intervalMs, clock, random } = parts;
  try {
    await reportOnce(parts, stop);
    // Hosts that start together, after a power cut or a roll-out, part here for good.
    let next = clock.now() + random() * intervalMs;
    for (;;) {
      await clock.sleep(Math.max(0, next - clock.now()), stop);
      await reportOnce(parts, stop);
      // From the planned time, not from now, so that a slow report does not shift those after it; but
      // what was missed, as by a laptop asleep, is not made up for.
      next = Math.max(next + intervalMs * (1 - spread + 2 * spread * random()), clock.now());
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  }
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
