/**
 * outbox: where collecting ends and delivering begins.
 *
 * Whoever collects hands each report over and goes on: a slow or absent API never delays the next collection.
 */
import type { SubmitReportInput } from '../report.ts';

export type Outbox = {
  /**
   * Takes a report for delivery; resolves once it is kept, whether the API is there or not.
   *
   * Never rejects: what cannot be kept on the disk is kept in memory.
   */
  add(report: SubmitReportInput): Promise<void>;
};
