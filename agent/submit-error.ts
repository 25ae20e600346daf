/**
 * submit-error: every way in which a request to the API can fail, as one line that says what to do.
 */
import type { ClientError } from 'graphql-request';
import { errorText, OperatorError } from './error-text.ts';

/**
 * INVALID: the API understood and refused; sending the same again is no use.
 * FACTS_UNKNOWN: it does not have the facts behind a hash; the report whole may be taken.
 * UNAUTHENTICATED: it does not know the credentials, or got none. FORBIDDEN: it knows them, and they do not allow this.
 * Both are for an operator to put right, so the same may be taken later.
 * RATE_LIMITED: it has had enough of this agent for now; the same is taken later.
 * UNAVAILABLE: the API cannot be reached, is not one, is busy, or failed; the same may be taken later.
 */
export type SubmitErrorCode =
  | 'INVALID'
  | 'FACTS_UNKNOWN'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE';

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

  /** Whether it is this report that is at fault: another one, or the same in another form, may be taken now. */
  get isOfReport(): boolean {
    return this.code === 'INVALID' || this.code === 'FACTS_UNKNOWN';
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

/** What an operator does about an error, where that depends on who asked. */
export type Hints = Partial<Record<SubmitErrorCode, string>>;

export function fromReportError(
  { code, message, path, retryAfterSeconds }: ReportError,
  api: string,
  hints: Hints,
): SubmitError {
  const place = path.length > 0 ? ` at ${path.join('.')}` : '';
  const text = `the API at ${api} answered: ${message} (${code}${place})`;
  return new SubmitError(toCode([code]), errorText(text + hintForCode(toCode([code]), hints)), {
    retryAfterMs: toRetryAfterMs(retryAfterSeconds),
  });
}

/** The API, or something before it, answered and did not say yes. */
export function fromResponse({ response }: ClientError, api: string, hints: Hints): SubmitError {
  const { status, errors, body, headers } = response as ClientError['response'] & { body?: string };
  if (errors?.length) {
    const messages = errors.map(({ message, extensions, path }) => {
      const notes = [extensions?.code, path?.length ? `at ${path.join('.')}` : null].filter(Boolean);
      return notes.length > 0 ? `${message} (${notes.join(' ')})` : message;
    });
    const codes = errors.map(({ extensions }) => String(extensions?.code));
    const code = toCode(codes, status);
    const text = errorText(`the API at ${api} answered: ${messages.join('; ')}${hintForCode(code, hints)}`);
    const waits = errors.map(({ extensions }) => toRetryAfterMs(extensions?.retryAfter) ?? 0);
    return new SubmitError(code, text, {
      retryAfterMs: Math.max(...waits, retryAfterOf(headers) ?? 0) || null,
      isBug: codes.includes('INTERNAL_SERVER_ERROR'),
    });
  }
  const text = errorText(`the API at ${api} answered HTTP ${status}${hintFor(status, headers, hints)}`);
  const excerpt = body?.trim() ? `: ${body.trim().slice(0, 200)}` : '';
  return new SubmitError(toCode([], status), errorText(text + excerpt), {
    retryAfterMs: retryAfterOf(headers),
  });
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after: seconds, or a date. */
function retryAfterOf(headers: unknown): number | null {
  const header = headers instanceof Headers ? headers.get('retry-after') : null;
  if (header === null) return null;
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1_000;
  return toRetryAfterMs(seconds);
}

/** Null for what is no length of time. */
function toRetryAfterMs(seconds: unknown): number | null {
  if (typeof seconds !== 'number' || !(seconds > 0)) return null;
  return Math.min(seconds * 1_000, maxRetryAfterMs);
}

/** Codes that mean the same here as there, those that say most first. */
const sameCodes = ['FACTS_UNKNOWN', 'UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED'] as const;

/** What a proxy or an API of another kind says by the status alone. */
const statusCodes: Partial<Record<number, SubmitErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  413: 'INVALID',
  429: 'RATE_LIMITED',
};

function toCode(codes: readonly string[], status = 200): SubmitErrorCode {
  if (codes.some(isRefusal)) return 'INVALID';
  const known = sameCodes.find((code) => codes.includes(code));
  return known ?? statusCodes[status] ?? 'UNAVAILABLE';
}

function hintForCode(code: SubmitErrorCode, hints: Hints): string {
  return hints[code] === undefined ? '' : `; ${hints[code]}`;
}

function isRefusal(code: string): boolean {
  return ['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED'].includes(code);
}

function hintFor(status: number, headers: unknown, hints: Hints): string {
  const location = headers instanceof Headers ? headers.get('location') : null;
  if (status >= 300 && status < 400) return ` and points to ${location ?? 'nowhere'}; set api.url to that`;
  if (status === 401 || status === 403) return hintForCode(toCode([], status), hints);
  if (status === 404 || status === 405) return '; is the path of api.url right? It ends in /graphql';
  if (status === 429) return '; it takes no more from here for now: this waits, and is sent again';
  if (status >= 500) return '; its log, or that of a proxy before it, says why';
  if (status === 413) return ', the report is too large for it or for a proxy before it';
  return '';
}

const networkHints: Record<string, string> = {
  ECONNREFUSED: 'connection refused; is it running, and is api.url right?',
  ECONNRESET:
    'the connection was closed; is api.url right, with http or https as the API has it, and does it want a client certificate (api.clientCert)?',
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
  const reason = networkHints[code] ?? `${errorText(message || code)}${tlsHint(code)}`;
  return unavailable(`cannot reach the API at ${api}: ${reason}`, error);
}

function tlsHint(code: string): string {
  // What the other side ends the handshake with when a certificate is missing or not one of its authority's.
  if (/TLSV1|SSLV3|_ALERT_/.test(code)) {
    return '; it ends the handshake: does it want a client certificate (api.clientCert and api.clientKey), or another one?';
  }
  const isTrust = /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO/.test(code);
  return isTrust ? '; is the certificate valid for this name, and its authority trusted (api.ca)?' : '';
}

export function notGraphQL(api: string, cause?: unknown): SubmitError {
  return unavailable(`what answers at ${api} is not the API; is api.url right? It ends in /graphql`, cause);
}

export function unavailable(message: string, cause?: unknown): SubmitError {
  return new SubmitError('UNAVAILABLE', message, { cause });
}
