/**
 * submit-error: every way in which a request to the API can fail, as one line that says what to do.
 */
import type { ClientError } from 'graphql-request';
import { errorText, OperatorError } from './error-text.ts';

/**
 * INVALID: the API understood and refused; sending the same again is no use.
 * FACTS_UNKNOWN: it does not have the facts behind a hash; the report whole may be taken.
 * UNAVAILABLE: the API cannot be reached, is not one, is busy, has had enough of this agent for now, or failed; the same
 * may be taken later.
 */
export type SubmitErrorCode = 'INVALID' | 'FACTS_UNKNOWN' | 'UNAVAILABLE';

export type SubmitErrorOptions = ErrorOptions & {
  /** When to try again at the earliest, in milliseconds from now. @default null, it does not say */
  retryAfterMs?: number | null;
  /** @default false */
  isBug?: boolean;
};

export class SubmitError extends OperatorError {
  override name = 'SubmitError';
  readonly code: SubmitErrorCode;
  readonly retryAfterMs: number | null;
  /** Whether the API failed by a fault of its own, which another report may not meet. */
  readonly isBug: boolean;

  constructor(code: SubmitErrorCode, message: string, options: SubmitErrorOptions = {}) {
    const { retryAfterMs = null, isBug = false, ...rest } = options;
    super(message, rest);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.isBug = isBug;
  }
}

/** As the API tells it for one of several reports. */
export type ReportError = {
  code: string;
  message: string;
  path: readonly string[];
  retryAfterSeconds: number | null;
};

/** Nobody who says "later" means never: a proxy with a fault must not silence a host for good. */
const maxRetryAfterMs = 60 * 60 * 1_000;

export function fromReportError(
  { code, message, path, retryAfterSeconds }: ReportError,
  api: string,
): SubmitError {
  const place = path.length > 0 ? ` at ${path.join('.')}` : '';
  const text = errorText(`the API at ${api} answered: ${message} (${code}${place})`);
  return new SubmitError(toCode([code]), text, { retryAfterMs: toRetryAfterMs(retryAfterSeconds) });
}

/** The API, or something before it, answered and did not say yes. */
export function fromResponse({ response }: ClientError, api: string): SubmitError {
  const { status, errors, body, headers } = response as ClientError['response'] & { body?: string };
  const header = headers instanceof Headers ? retryAfterOf(headers.get('retry-after')) : null;
  if (errors?.length) {
    const messages = errors.map(({ message, extensions, path }) => {
      const notes = [extensions?.code, path?.length ? `at ${path.join('.')}` : null].filter(Boolean);
      return notes.length > 0 ? `${message} (${notes.join(' ')})` : message;
    });
    const codes = errors.map(({ extensions }) => String(extensions?.code));
    const text = errorText(`the API at ${api} answered: ${messages.join('; ')}`);
    // A proxy that refuses in our manner may say it in the header alone.
    const waits = [...errors.map(({ extensions }) => toRetryAfterMs(extensions?.retryAfter)), header];
    return new SubmitError(toCode(codes), text, {
      retryAfterMs: Math.max(...waits.map((ms) => ms ?? 0)) || null,
      isBug: codes.includes('INTERNAL_SERVER_ERROR'),
    });
  }
  const text = errorText(`the API at ${api} answered HTTP ${status}${hintFor(status, headers)}`);
  const excerpt = body?.trim() ? `: ${body.trim().slice(0, 200)}` : '';
  return new SubmitError(status === 413 ? 'INVALID' : 'UNAVAILABLE', errorText(text + excerpt), {
    retryAfterMs: header,
  });
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after: seconds, or a date. */
function retryAfterOf(header: string | null): number | null {
  if (header === null) return null;
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1_000;
  return toRetryAfterMs(seconds);
}

/** Null for what is no length of time. */
function toRetryAfterMs(seconds: unknown): number | null {
  if (typeof seconds !== 'number' || !(seconds > 0)) return null;
  return Math.min(seconds * 1_000, maxRetryAfterMs);
}

function toCode(codes: readonly string[]): SubmitErrorCode {
  if (codes.some(isRefusal)) return 'INVALID';
  return codes.includes('FACTS_UNKNOWN') ? 'FACTS_UNKNOWN' : 'UNAVAILABLE';
}

function isRefusal(code: string): boolean {
  return ['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED'].includes(code);
}

function hintFor(status: number, headers: unknown): string {
  const location = headers instanceof Headers ? headers.get('location') : null;
  if (status >= 300 && status < 400) return ` and points to ${location ?? 'nowhere'}; set api.url to that`;
  if (status === 401 || status === 403) return '; is the token right, of api.token or OS_INSPECTOR_TOKEN?';
  if (status === 404 || status === 405) return '; is the path of api.url right? It ends in /graphql';
  if (status === 429) return '; it takes no more from here for now: this waits, and is sent again';
  if (status >= 500) return '; its log, or that of a proxy before it, says why';
  if (status === 413) return ', the report is too large for it or for a proxy before it';
  return '';
}

const networkHints: Record<string, string> = {
  ECONNREFUSED: 'connection refused; is it running, and is api.url right?',
  ECONNRESET: 'the connection was closed; is api.url right, with http or https as the API has it?',
  ENOTFOUND: 'no such host name; is api.url right?',
  EAI_AGAIN: 'the name server does not answer; is the network up?',
  ETIMEDOUT: 'no answer; is the network up, and does a firewall let it through?',
  EHOSTUNREACH: 'no route to the host; is the network up?',
  ENETUNREACH: 'no route to the network; is the network up?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; should api.url begin with http://?',
  EPROTO: 'it does not speak TLS; should api.url begin with http://?',
};

/** No answer, or one that is not GraphQL. */
export function fromFetch(error: unknown, api: string): SubmitError {
  if (!(error instanceof TypeError && error.cause instanceof Error)) return notGraphQL(api, error);
  const { code = '', message } = error.cause as NodeJS.ErrnoException;
  const tls = /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO/.test(code);
  const trust = tls ? 'is the certificate valid for this name, and trusted (NODE_EXTRA_CA_CERTS)?' : '';
  const reason = networkHints[code] ?? [errorText(message || code), trust].filter(Boolean).join('; ');
  return unavailable(`cannot reach the API at ${api}: ${reason}`, error);
}

export function notGraphQL(api: string, cause?: unknown): SubmitError {
  return unavailable(`what answers at ${api} is not the API; is api.url right? It ends in /graphql`, cause);
}

export function unavailable(message: string, cause?: unknown): SubmitError {
  return new SubmitError('UNAVAILABLE', message, { cause });
}
