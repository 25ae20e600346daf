/** submission: a fleet's reports as the requests with which its agents submit them. */
import type { StoredReport } from '../api/log/stored-report.ts';
import type { Fleet } from './fleet.ts';
import { toRequest } from './load.ts';

const mutation = /* GraphQL */ `
  mutation ($input: SubmitReportInput!) {
    submitReport(input: $input) { duplicate report { id } }
  }
`.trim();

/** What the fleet sends next. */
export function nextSubmissions(fleet: Fleet, count: number): Buffer[] {
  return Array.from(fleet.next(count), submission);
}

export function submission({ format: _, receivedAt: __, ...input }: StoredReport): Buffer {
  return toRequest({ query: mutation, variables: { input } });
}
