/**
 * submit: the agent's only way to the API.
 *
 * Turns every way in which a request can fail into one line that says what to do. A `ClientError` of
 * graphql-request holds the whole request in its message, and so is never passed on.
 */
import type { ClientError } from 'graphql-request';
import { formatDuration } from '../plugins/duration.ts';
import { DeadlineError, withDeadline } from './deadline.ts';
import { errorText, OperatorError } from './error-text.ts';
import { AnswerTooLongError, fetchBounded } from './fetch-bounded.ts';
import type { SubmitReportInput } from './report.ts';

/**
 * INVALID: the API understood and refused; sending the same again is no use.
 * UNAVAILABLE: the API cannot be reached, is not one, or failed; the same may be taken later.
 */
export type SubmitErrorCode = 'INVALID' | 'UNAVAILABLE';

export class SubmitError extends OperatorError {
  override name = 'SubmitError';
  readonly code: SubmitErrorCode;

  constructor(code: SubmitErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type Api = {
  /**
   * Sends one report; safe to repeat, as the API knows a report by its id.
   *
   * @throws SubmitError when it was not acknowledged; the reason of `stop` once that is aborted
   */
  submit(report: SubmitReportInput, stop: AbortSignal): Promise<Receipt>;
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

type SubmitReportData = { submitReport: { duplicate: boolean; report: { id: string } } };

export function connect({ url, token, timeoutMs = defaultTimeoutMs }: ApiSettings): Api {
  const api = shownUrl(url);

  async function request<T>(query: string, variables: object, stop: AbortSignal): Promise<T> {
    // Loading it takes longer than everything else here, and what sends nothing does without.
    const { ClientError, GraphQLClient } = await import('graphql-request');
    const client = new GraphQLClient(url, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      // A redirected POST becomes a GET without a body: better to name the new address.
      redirect: 'manual',
      fetch: fetchBounded,
    });
    try {
      return await withDeadline(timeoutMs, stop, (signal) =>
        client.request<T>({ document: query, variables: { ...variables }, signal }),
      );
    } catch (error) {
      stop.throwIfAborted();
      if (error instanceof DeadlineError) {
        throw unavailable(`the API at ${api} did not answer within ${formatDuration(timeoutMs)}`, error);
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
    async ping(stop) {
      const data = await request<{ __typename: string }>('{ __typename }', {}, stop);
      if (typeof data?.__typename !== 'string') throw notGraphQL(api);
    },
  };
}

/** The address without its query, which may hold a secret. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** The API, or something before it, answered and did not say yes. */
function fromResponse({ response }: ClientError, api: string): SubmitError {
  const { status, errors, body } = response as ClientError['response'] & { body?: string };
  if (errors?.length) {
    const messages = errors.map(({ message, extensions, path }) => {
      const notes = [extensions?.code, path?.length ? `at ${path.join('.')}` : null].filter(Boolean);
      return notes.length > 0 ? `${message} (${notes.join(' ')})` : message;
    });
    const invalid = errors.some(({ extensions }) => isRefusal(String(extensions?.code)));
    const text = errorText(`the API at ${api} answered: ${messages.join('; ')}`);
    return new SubmitError(invalid ? 'INVALID' : 'UNAVAILABLE', text);
  }
  const text = errorText(`the API at ${api} answered HTTP ${status}${hintFor(status, response.headers)}`);
  const excerpt = body?.trim() ? `: ${body.trim().slice(0, 200)}` : '';
  return new SubmitError(status === 413 ? 'INVALID' : 'UNAVAILABLE', errorText(text + excerpt));
}

function isRefusal(code: string): boolean {
  return ['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED'].includes(code);
}

function hintFor(status: number, headers: unknown): string {
  const location = headers instanceof Headers ? headers.get('location') : null;
  if (status >= 300 && status < 400) return ` and points to ${location ?? 'nowhere'}; set api.url to that`;
  if (status === 401 || status === 403) return '; is OS_INSPECTOR_TOKEN set, and right?';
  if (status === 404 || status === 405) return '; is the path of api.url right? It ends in /graphql';
  if (status === 413) return ', the report is too large for it or for a proxy before it';
  return '';
}

const networkHints: Record<string, string> = {
  ECONNREFUSED: 'connection refused; is it running, and is api.url right?',
  ECONNRESET: 'connection reset; is api.url right, with http or https as the API has it?',
  UND_ERR_SOCKET: 'the connection was closed; is api.url right, with http or https as the API has it?',
  ENOTFOUND: 'no such host name; is api.url right?',
  EAI_AGAIN: 'the name server does not answer; is the network up?',
  ETIMEDOUT: 'no answer; is the network up, and does a firewall let it through?',
  UND_ERR_CONNECT_TIMEOUT: 'no answer; is the network up, and does a firewall let it through?',
  EHOSTUNREACH: 'no route to the host; is the network up?',
  ENETUNREACH: 'no route to the network; is the network up?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; should api.url begin with http://?',
  EPROTO: 'it does not speak TLS; should api.url begin with http://?',
};

/** No answer, or one that is not GraphQL. */
function fromFetch(error: unknown, api: string): SubmitError {
  if (!(error instanceof TypeError && error.cause instanceof Error)) return notGraphQL(api, error);
  const { code = '', message } = error.cause as NodeJS.ErrnoException;
  const tls = /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO/.test(code);
  const trust = tls ? 'is the certificate valid for this name, and trusted (NODE_EXTRA_CA_CERTS)?' : '';
  const reason = networkHints[code] ?? [errorText(message || code), trust].filter(Boolean).join('; ');
  return unavailable(`cannot reach the API at ${api}: ${reason}`, error);
}

function notGraphQL(api: string, cause?: unknown): SubmitError {
  return unavailable(`what answers at ${api} is not the API; is api.url right? It ends in /graphql`, cause);
}

function unavailable(message: string, cause?: unknown): SubmitError {
  return new SubmitError('UNAVAILABLE', message, { cause });
}
