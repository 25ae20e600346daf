/**
 * submit: the agent's only way to the API.
 *
 * Whatever fails is told as a `SubmitError`. Credentials that are refused are renewed once, where they can be.
 */
import type { Agent } from 'node:http';
import { requestApi } from './access/api-request.ts';
import type { Credentials } from './access/credentials.ts';
import type { WireReport } from './report.ts';
import { shownUrl } from './shown-url.ts';
import { fromReportError, notGraphQL, type ReportError, SubmitError } from './submit-error.ts';

export type Api = {
  /**
   * Sends one report; safe to repeat, as the API knows a report by its id.
   *
   * @throws SubmitError when it was not acknowledged; the reason of `stop` once that is aborted
   */
  submit(report: WireReport, stop: AbortSignal): Promise<Receipt>;
  /**
   * Sends several in one request, and tells of each what became of it, in their order.
   *
   * @throws as `submit` does, when there is no answer for each of them
   */
  submitMany(reports: readonly WireReport[], stop: AbortSignal): Promise<(Receipt | SubmitError)[]>;
  /** Whether a GraphQL API answers at all; fails as `submit` does. */
  ping(stop: AbortSignal): Promise<void>;
  /** What the credentials allow, in the API's words such as `SUBMIT`; null from an API that does not tell. */
  scopes(stop: AbortSignal): Promise<string[] | null>;
};

/** `duplicate` is true when the API had the report already. */
export type Receipt = { reportId: string; duplicate: boolean };

export type ApiSettings = {
  url: string;
  credentials: Credentials;
  /** Makes the connections. @default Node's own */
  agent?: Agent | undefined;
  /** @default 30000 */
  timeoutMs?: number;
};

const submitReport = /* GraphQL */ `
  mutation SubmitReport($input: SubmitReportInput!) {
    submitReport(input: $input) {
      duplicate
      report {
        id
      }
    }
  }
`;

const submitReports = /* GraphQL */ `
  mutation SubmitReports($inputs: [SubmitReportInput!]!) {
    submitReports(inputs: $inputs) {
      payload {
        duplicate
        report {
          id
        }
      }
      error {
        code
        message
        path
        retryAfterSeconds
      }
    }
  }
`;

type SubmitReportsData = {
  submitReports: ({ payload: SubmitReportData['submitReport'] | null; error: ReportError | null } | null)[];
};
type SubmitReportData = { submitReport: { duplicate: boolean; report: { id: string } } };

export function connect({ credentials, ...address }: ApiSettings): Api {
  const api = shownUrl(address.url);

  async function request<T>(document: string, variables: object, stop: AbortSignal): Promise<T> {
    const send = (token: string | null) =>
      requestApi<T>(address, { document, variables, token, hints: credentials.hints }, stop);
    const token = await credentials.current(stop);
    try {
      return await send(token);
    } catch (error) {
      if (!(error instanceof SubmitError) || error.code !== 'UNAUTHENTICATED') throw error;
      const other = await credentials.renew(token, stop);
      if (other === null) throw error;
      return await send(other);
    }
  }

  return {
    async submit(report, stop) {
      const data = await request<SubmitReportData>(submitReport, { input: report }, stop);
      const payload = data?.submitReport;
      if (!payload?.report?.id) throw notGraphQL(api);
      return { reportId: payload.report.id, duplicate: payload.duplicate };
    },
    async submitMany(reports, stop) {
      const data = await request<SubmitReportsData>(submitReports, { inputs: reports }, stop);
      const answers = data?.submitReports;
      if (!Array.isArray(answers) || answers.length !== reports.length) throw notGraphQL(api);
      return answers.map((answer) => {
        if (answer?.error) return fromReportError(answer.error, api, credentials.hints);
        if (!answer?.payload?.report?.id) throw notGraphQL(api);
        return { reportId: answer.payload.report.id, duplicate: answer.payload.duplicate };
      });
    },
    async ping(stop) {
      const data = await request<{ __typename: string }>('{ __typename }', {}, stop);
      if (typeof data?.__typename !== 'string') throw notGraphQL(api);
    },
    async scopes(stop) {
      try {
        const data = await request<{ viewer?: { scopes?: string[] } }>('{ viewer { scopes } }', {}, stop);
        return data?.viewer?.scopes ?? null;
      } catch (error) {
        // One that knows no viewer knows no scopes.
        if (error instanceof SubmitError && error.code === 'INVALID') return null;
        throw error;
      }
    },
  };
}

/** An API whose place another may take: requests that are under way end as they began. */
export function changeableApi(first: Api): {
  api: Pick<Api, 'submit' | 'submitMany'>;
  change(next: Api): void;
} {
  let api = first;
  return {
    api: {
      submit: (report, stop) => api.submit(report, stop),
      submitMany: (reports, stop) => api.submitMany(reports, stop),
    },
    change(next) {
      api = next;
    },
  };
}
