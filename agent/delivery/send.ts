/**
 * send: takes reports to the API once, and tells of each what became of it.
 *
 * Sends as little as the API needs, and the whole when it asks for that. A request that is refused as a whole is sent
 * again report by report, so that one that is wrong costs none of the others.
 */
import type { SubmitReportInput, WireReport } from '../report.ts';
import type { Log } from '../run.ts';
import type { Api, Receipt } from '../submit.ts';
import { SubmitError } from '../submit-error.ts';
import { createDelta } from './delta.ts';

export type Outcome = { report: SubmitReportInput; outcome: Receipt | SubmitError };

export type Sender = {
  /**
   * In the order of the reports.
   *
   * @throws SubmitError that is of no report when the API took none, and will not now; the reason of `stop` once that is aborted
   */
  send(reports: readonly SubmitReportInput[], stop: AbortSignal): Promise<Outcome[]>;
};

export type SenderParts = { api: Pick<Api, 'submit' | 'submitMany'>; log: Log };

export function createSender({ api, log }: SenderParts): Sender {
  const delta = createDelta();

  async function sendOne(report: SubmitReportInput, stop: AbortSignal): Promise<Receipt> {
    const short = delta.shorten(report);
    let refusal: SubmitError | null = null;
    if (short !== report) {
      try {
        return await api.submit(short, stop);
      } catch (error) {
        if (!(error instanceof SubmitError && error.isOfReport)) throw error;
        delta.forget(report);
        refusal = error;
      }
    }
    const receipt = await api.submit(report, stop);
    // What was refused with hashes was taken without.
    if (refusal?.code === 'INVALID') {
      delta.end();
      log.warn({ cause: refusal.message }, 'the API takes no hashes of facts: they travel whole from now on');
    }
    return receipt;
  }

  async function sendTogether(
    reports: readonly SubmitReportInput[],
    shorten: (report: SubmitReportInput) => WireReport,
    stop: AbortSignal,
  ): Promise<Outcome[]> {
    const outcomes = await api.submitMany(reports.map(shorten), stop);
    return reports.map((report, index) => ({ report, outcome: outcomes[index] as Receipt | SubmitError }));
  }

  async function sendMany(reports: readonly SubmitReportInput[], stop: AbortSignal): Promise<Outcome[]> {
    const outcomes = await sendTogether(reports, delta.shorten, stop);
    const unknown = outcomes.filter(({ outcome }) => isError(outcome, 'FACTS_UNKNOWN'));
    if (unknown.length === 0) return outcomes;
    for (const { report } of unknown) delta.forget(report);
    const whole = await sendTogether(
      unknown.map(({ report }) => report),
      (report) => report,
      stop,
    ).catch((error) => {
      // Others have been taken already, which must not be lost sight of.
      if (!(error instanceof SubmitError)) throw error;
      return unknown.map(({ report }) => ({ report, outcome: error }));
    });
    const again = new Map(whole.map((outcome) => [outcome.report, outcome]));
    return outcomes.map((outcome) => again.get(outcome.report) ?? outcome);
  }

  async function oneByOne(reports: readonly SubmitReportInput[], stop: AbortSignal): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const report of reports) {
      try {
        outcomes.push({ report, outcome: await sendOne(report, stop) });
      } catch (error) {
        if (!(error instanceof SubmitError)) throw error;
        const isOver = concernsAll(error);
        if (isOver && outcomes.length === 0) throw error;
        outcomes.push({ report, outcome: error });
        if (isOver) break;
      }
    }
    return outcomes;
  }

  return {
    async send(reports, stop) {
      let outcomes: Outcome[];
      try {
        outcomes = reports.length > 1 ? await sendMany(reports, stop) : await oneByOne(reports, stop);
      } catch (error) {
        const isRefused = error instanceof SubmitError && (error.isOfReport || error.isBug);
        if (!isRefused || reports.length < 2) throw error;
        outcomes = await oneByOne(reports, stop);
      }
      for (const { report, outcome } of outcomes) {
        if (!(outcome instanceof SubmitError)) delta.acknowledged(report);
      }
      return outcomes;
    },
  };
}

/** Whether the next report would meet the same. What the credentials do not allow may be one host's report among others. */
function concernsAll({ code, isOfReport, isBug }: SubmitError): boolean {
  return !isOfReport && !isBug && code !== 'FORBIDDEN';
}

function isError(outcome: Receipt | SubmitError, code: SubmitError['code']): boolean {
  return outcome instanceof SubmitError && outcome.code === code;
}
