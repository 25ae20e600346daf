/**
 * submit: the agent's only way to the API.
 *
 * Whatever fails is told as a `SubmitError`. A `ClientError` of graphql-request holds the whole request in its
 * message, and so is never passed on.
 */
import { formatDuration } from '../plugins/duration.ts';
import { DeadlineError, withDeadline } from './deadline.ts';
import { AnswerTooLongError, type HttpFetchOptions, httpFetch } from './http-fetch.ts';
import type { WireReport } from './report.ts';
import {
  fromFetch,
  fromReportError,
  fromResponse,
  notGraphQL,
  type ReportError,
  type SubmitError,
  unavailable,
} from './submit-error.ts';

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
};

/** `duplicate` is true when the API had the report already. */
export type Receipt = { reportId: string; duplicate: boolean };

export type ApiSettings = {
  url: string;
  token: string | null;
  /** @default 30000 */
  timeoutMs?: number;
};

/** The API acknowledges within a second or two; much later nobody waits for the answer any more. */
const defaultTimeoutMs = 30_000;

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

export function connect({ url, token, timeoutMs = defaultTimeoutMs }: ApiSettings): Api {
  const api = shownUrl(url);

  async function request<T>(query: string, variables: object, stop: AbortSignal): Promise<T> {
    // Loading it takes longer than everything else here, and what sends nothing does without.
    const { ClientError, GraphQLClient } = await import('graphql-request');
    const client = new GraphQLClient(url, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      // A redirect is not followed, as a redirected POST becomes a GET without a body: better to name the new address.
      fetch: (url, init) => httpFetch(new URL(String(url)), init as HttpFetchOptions),
    });
    try {
      return await withDeadline(timeoutMs, stop, (signal) =>
        client.request<T>({ document: query, variables: { ...variables }, signal }),
      );
    } catch (error) {
      stop.throwIfAborted();
      if (error instanceof DeadlineError) {
        const what = `the API at ${api} did not answer within ${formatDuration(timeoutMs)}`;
        throw unavailable(`${what}; is it overloaded, or does something on the way keep the answer?`, error);
      }
      if (error instanceof AnswerTooLongError) throw notGraphQL(api, error);
      throw error instanceof ClientError ? fromResponse(error, api) : fromFetch(error, api);
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
        if (answer?.error) return fromReportError(answer.error, api);
        if (!answer?.payload?.report?.id) throw notGraphQL(api);
        return { reportId: answer.payload.report.id, duplicate: answer.payload.duplicate };
      });
    },
    async ping(stop) {
      const data = await request<{ __typename: string }>('{ __typename }', {}, stop);
      if (typeof data?.__typename !== 'string') throw notGraphQL(api);
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

/** The address without its query, which may hold a secret. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
