/** memory-outbox: delivers each report as it comes, one after the other, and keeps none that the API did not take. */
import { errorText } from '../error-text.ts';
import type { SubmitReportInput } from '../report.ts';
import type { Log } from '../run.ts';
import { type Api, SubmitError } from '../submit.ts';
import type { Outbox } from './outbox.ts';

export type MemoryOutbox = Outbox & {
  /** Delivers until `stop` is aborted, and returns then. */
  deliver(stop: AbortSignal): Promise<void>;
};

export function openMemoryOutbox({ api, log }: { api: Pick<Api, 'submit'>; log: Log }): MemoryOutbox {
  const waiting: SubmitReportInput[] = [];
  let wake = Promise.withResolvers<void>();

  async function submit(report: SubmitReportInput, stop: AbortSignal): Promise<void> {
    try {
      const { reportId, duplicate } = await api.submit(report, stop);
      log.info({ reportId, duplicate }, 'report submitted');
    } catch (error) {
      stop.throwIfAborted();
      const code = error instanceof SubmitError ? error.code : 'INTERNAL';
      log.error({ code, cause: errorText(error) }, 'report not submitted');
    }
  }

  return {
    async add(report) {
      waiting.push(report);
      wake.resolve();
    },
    async deliver(stop) {
      stop.addEventListener('abort', () => wake.resolve(), { once: true });
      while (!stop.aborted) {
        const report = waiting.shift();
        if (report) {
          await submit(report, stop).catch(() => {});
        } else {
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      }
    },
  };
}
