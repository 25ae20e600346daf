/**
 * delivery: brings what is in the spool to the API, in a loop of its own beside collecting.
 *
 * The newest report goes first, so that the fleet is seen as it is now; then what has gathered, the oldest first, in
 * batches with pauses. After a failure it waits (see backoff), whatever is added meanwhile. Time and randomness are
 * handed in. docs/design/0006-agent-delivery.md has the protocol.
 */
import { errorText } from '../error-text.ts';
import type { Redact } from '../redact.ts';
import type { SubmitReportInput } from '../report.ts';
import type { Log } from '../run.ts';
import type { Clock } from '../schedule/clock.ts';
import type { Api } from '../submit.ts';
import { SubmitError } from '../submit-error.ts';
import { createAlarm } from './alarm.ts';
import { backoffMs } from './backoff.ts';
import type { Outbox } from './outbox.ts';
import { createSender, type Outcome } from './send.ts';
import type { Spool } from './spool.ts';

export type Delivery = Outbox & {
  /** Delivers until `stop` is aborted, and returns then. */
  deliver(stop: AbortSignal): Promise<void>;
  /**
   * Delivers one report now, and then a part of what has gathered. What is not delivered waits in the spool.
   *
   * @throws SubmitError when this report was not acknowledged; the reason of `stop` once that is aborted
   */
  deliverNow(report: SubmitReportInput, stop: AbortSignal): Promise<void>;
  /** The API is another, or is spoken to otherwise: what it said before counts no longer, and it is tried soon. */
  startOver(): void;
};

export type DeliveryParts = {
  api: Pick<Api, 'submit' | 'submitMany'>;
  spool: Spool;
  log: Log;
  clock: Clock;
  /** From 0 up to 1, as `Math.random`. */
  random(): number;
  /** Whoever keeps count. */
  watcher?: DeliveryWatcher;
  /** Takes out what must not leave this host, of what was kept before that was said. @default nothing */
  redact?: Redact;
};

/** Told of what becomes of reports, each time before that is logged. */
export type DeliveryWatcher = {
  acknowledged(report: SubmitReportInput): void;
  /** The API will never take it. */
  refused(report: SubmitReportInput): void;
  /** Nothing was taken, and nothing is sent for so long. */
  failed(cause: string, retryInMs: number): void;
};

/** An answer comes within seconds, and a request that is cut off costs no more than these. */
const maxBatchReports = 50;
const maxBatchBytes = 2 * 1024 * 1024;

/** When the API is back, hosts begin with what has gathered at some moment of this. */
const backlogSplayMs = 60_000;
/** Between two batches, give or take a half. */
const pauseMs = 4_000;
/** The pause is also so many times what the API took for the batch: the busier it is, the less it gets. */
const pausePerBatch = 10;

/** When settings of the API became others, hosts try it at some moment of this. */
const startOverSplayMs = 10_000;

/** What `deliverNow` brings of what has gathered: a week of hourly reports. */
const maxBatchesNow = 4;

export function createDelivery(parts: DeliveryParts): Delivery {
  const { api, spool, log, clock, random, watcher, redact = (results) => results } = parts;
  const alarm = createAlarm(clock);
  const sender = createSender({ api, log });
  /** What was added last, until it is tried. */
  let fresh: SubmitReportInput | null = null;
  let failures = 0;
  let retryAt = Number.NEGATIVE_INFINITY;
  let backlogAt = clock.now() + random() * backlogSplayMs;
  /** Reports that failed while others were taken. */
  const setBack = new Map<string, { attempts: number; until: number }>();
  /** Of what a batch may hold: less once one did not come through, as on a slow line. */
  let share = 1;

  async function settle({ report, outcome }: Outcome): Promise<void> {
    setBack.delete(report.id);
    if (!(outcome instanceof SubmitError)) {
      await spool.remove(report.id);
      watcher?.acknowledged(report);
      return;
    }
    const cause = outcome.message;
    const keptAs = await spool.refuse(report, cause);
    watcher?.refused(report);
    log.error({ reportId: report.id, cause, keptAs }, 'report refused for good');
  }

  /** Returns the outcomes that are acknowledged; the others are refused, or set back. Null when none were allowed. */
  async function sendBatch(
    batch: readonly SubmitReportInput[],
    stop: AbortSignal,
  ): Promise<Outcome[] | null> {
    // As the config says at this moment, and not as it was when the report was made.
    const shown = batch.map((report) => ({ ...report, results: redact(report.results) }));
    const outcomes = await sender.send(shown, stop);
    const taken = outcomes.filter(({ outcome }) => !(outcome instanceof SubmitError));
    // What the credentials do not allow says nothing of the next report, as of the host that a disk was cloned from.
    const isDown = outcomes.every(({ outcome }) => isTemporary(outcome) && !isForbidden(outcome));
    for (const done of outcomes) {
      const { report, outcome } = done;
      if (!isTemporary(outcome)) {
        await settle(done);
      } else if (!isDown) {
        const retryInMs = putBack(report, outcome as SubmitError);
        if (isForbidden(outcome)) continue;
        const fields = { reportId: report.id, cause: errorText(outcome), retryInMs };
        log.warn(fields, 'report not taken, others were');
      }
    }
    const [first] = outcomes;
    if (isDown && first) throw first.outcome;
    const forbidden = outcomes.filter(({ outcome }) => isForbidden(outcome));
    const [one] = forbidden;
    if (!one) return taken;
    const cause = errorText(one.outcome);
    const retryInMs = Math.round((setBack.get(one.report.id)?.until ?? 0) - clock.now());
    const isAll = forbidden.length === outcomes.length;
    if (isAll) watcher?.failed(cause, retryInMs);
    log.error({ reports: forbidden.length, cause, retryInMs }, 'reports not allowed: they wait');
    return isAll ? null : taken;
  }

  /** Returns for how long. */
  function putBack({ id }: SubmitReportInput, { retryAfterMs }: SubmitError): number {
    const attempts = (setBack.get(id)?.attempts ?? 0) + 1;
    const waitMs = backoffMs(attempts, random(), retryAfterMs);
    setBack.set(id, { attempts, until: clock.now() + waitMs });
    return Math.round(waitMs);
  }

  async function deliverBatch(
    batch: readonly SubmitReportInput[],
    isBacklog: boolean,
    stop: AbortSignal,
  ): Promise<void> {
    const startedAt = clock.now();
    const taken = await sendBatch(batch, stop).catch((error) => {
      if (batch.length > 1) share = Math.max(share / 2, 1 / maxBatchReports);
      throw error;
    });
    if (taken === null) return;
    const submitMs = Math.round(clock.now() - startedAt);
    if (failures > 0) {
      log.info({ failures }, 'the API takes reports again');
      backlogAt = clock.now() + random() * backlogSplayMs;
    }
    failures = 0;
    if (isBacklog) {
      share = Math.min(1, share * 2);
      backlogAt = clock.now() + (pauseMs + pausePerBatch * submitMs) * (0.5 + random());
      if (taken.length > 0) log.info({ reports: taken.length, submitMs }, 'backlog submitted');
      return;
    }
    for (const { outcome } of taken) {
      if (!(outcome instanceof SubmitError)) log.info({ ...outcome, submitMs }, 'report submitted');
    }
  }

  async function failed(error: unknown): Promise<void> {
    const known = error instanceof SubmitError ? error : null;
    failures += 1;
    const waitMs = backoffMs(failures, random(), known?.retryAfterMs ?? null);
    retryAt = clock.now() + waitMs;
    watcher?.failed(errorText(error), waitMs);
    const waiting = (await spool.waiting()).length;
    const fields = { code: known?.code ?? 'INTERNAL', cause: errorText(error), waiting };
    log.error({ ...fields, retryInMs: Math.round(waitMs) }, 'report not submitted');
  }

  /** The oldest reports, as many as one request takes. */
  async function readBatch(ids: readonly string[]): Promise<SubmitReportInput[]> {
    const batch: SubmitReportInput[] = [];
    let bytes = 0;
    for (const id of ids) {
      if (batch.length >= Math.max(1, Math.floor(maxBatchReports * share))) break;
      const kept = await spool.read(id);
      if (!kept) continue;
      bytes += kept.textBytes;
      if (batch.length > 0 && bytes > maxBatchBytes * share) break;
      batch.push(kept.report);
    }
    return batch;
  }

  async function step(stop: AbortSignal): Promise<void> {
    const now = clock.now();
    if (now < retryAt) return alarm.sleep(retryAt - now, stop);
    const next = fresh;
    fresh = null;
    // Handed over a moment ago: there is no need to read it again.
    if (next) return deliverBatch([next], false, stop);
    const waiting = await spool.waiting();
    for (const id of setBack.keys()) if (!waiting.includes(id)) setBack.delete(id);
    const ready = waiting.filter((id) => (setBack.get(id)?.until ?? now) <= now);
    // One report finds out whether the API is back: the newest, which is worth most.
    if (failures > 0 && ready.length > 0) {
      const newest = await readBatch(ready.slice(-1));
      return newest.length > 0 ? deliverBatch(newest, false, stop) : undefined;
    }
    if (waiting.length === 0) return alarm.sleep(null, stop);
    const untils = waiting.map((id) => setBack.get(id)?.until ?? now);
    const readyAt = Math.max(backlogAt, Math.min(...untils));
    if (readyAt > now) return alarm.sleep(readyAt - now, stop);
    const batch = await readBatch(ready);
    if (batch.length > 0) await deliverBatch(batch, true, stop);
  }

  async function deliverBacklog(exceptId: string, stop: AbortSignal): Promise<void> {
    for (let number = 0; number < maxBatchesNow; number += 1) {
      const ids = await spool.waiting();
      const batch = await readBatch(ids.filter((id) => id !== exceptId && !setBack.has(id)));
      if (batch.length === 0) return;
      await sendBatch(batch, stop);
    }
  }

  return {
    async add(report) {
      fresh = await spool.add(report);
      alarm.ring();
    },
    startOver() {
      retryAt = Math.min(retryAt, clock.now() + random() * startOverSplayMs);
      setBack.clear();
      alarm.ring();
    },
    async deliver(stop) {
      while (!stop.aborted) {
        try {
          await step(stop);
        } catch (error) {
          if (!stop.aborted) await failed(error);
        }
      }
    },
    async deliverNow(report, stop) {
      const kept = await spool.add(report);
      const [done] = await sender.send([kept], stop);
      if (!done) return;
      if (isTemporary(done.outcome)) throw done.outcome;
      if (done.outcome instanceof SubmitError) {
        await spool.refuse(kept, done.outcome.message);
        throw done.outcome;
      }
      await settle(done);
      await deliverBacklog(kept.id, stop).catch((error) => {
        // It waits for the next time, and this report is delivered.
        if (!(error instanceof SubmitError) && !stop.aborted) throw error;
      });
    },
  };
}

function isForbidden(outcome: Outcome['outcome']): boolean {
  return outcome instanceof SubmitError && outcome.code === 'FORBIDDEN';
}

/** Whether the same report may be taken later. */
function isTemporary(outcome: Outcome['outcome']): boolean {
  return outcome instanceof SubmitError && outcome.code !== 'INVALID';
}
