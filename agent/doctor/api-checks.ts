/** api-checks: whether what answers is the API and takes the token, and whether its clock and ours agree. */
import type { Agent } from 'node:http';
import { errorText } from '../error-text.ts';
import { httpFetch } from '../http-fetch.ts';
import { roughDuration } from '../status/rough.ts';
import type { Api } from '../submit.ts';
import { SubmitError } from '../submit-error.ts';
import { type Check, failed, ok, skipped, warning } from './check.ts';
import { endpointOf } from './network-checks.ts';

export const timeoutMs = 10_000;
/** `Date` has whole seconds, and an answer takes its time. */
const skewMs = { noticed: 5_000, wrong: 60_000 };

/** @param api whose requests give up after a short while */
export async function checkApi(api: Pick<Api, 'ping'>, stop: AbortSignal): Promise<Check> {
  const startedAt = performance.now();
  try {
    await api.ping(stop);
    return ok('api', `GraphQL answers in ${Math.round(performance.now() - startedAt)} ms`);
  } catch (error) {
    if (!(error instanceof SubmitError)) throw error;
    // Its message says what to do.
    return failed('api', error.message, null);
  }
}

/** @param api what `checkApi` found; a credential that the host was given on enrolling counts as a token */
export function checkToken(
  url: URL,
  token: string | null,
  api: Check,
  scopes: readonly string[] | null = null,
): Check {
  if (token === null) return ok('token', 'none is set; whoever can reach the API can report');
  if (url.protocol === 'http:' && !isLoopback(endpointOf(url).host)) {
    const todo = 'use https:// in api.url';
    return warning('token', 'it travels as plain text, for everyone on the way to read', todo);
  }
  if (api.status !== 'OK') return skipped('token', 'the API does not answer');
  if (scopes !== null && !scopes.includes('SUBMIT')) {
    const has = scopes.length > 0 ? scopes.join(', ') : 'nothing';
    const todo = 'make another with "os-inspector-api token create --scope submit", or set api.enrolment';
    return failed('token', `it may not send reports: it allows ${has}`, todo);
  }
  return ok('token', 'the API answers with it; an API that asks for none does not look at it');
}

/** Told by the `Date` of any answer, also of one that refuses. */
export async function checkClock(url: URL, stop: AbortSignal, agent?: Agent): Promise<Check> {
  const askedAt = Date.now();
  const late = new AbortController();
  const onStop = () => late.abort(stop.reason);
  const timer = setTimeout(() => late.abort(new Error('no answer')), timeoutMs);
  stop.addEventListener('abort', onStop);
  try {
    const { headers } = await httpFetch(url, { signal: late.signal, agent });
    return judgeClock(headers.get('date'), askedAt, Date.now());
  } catch (error) {
    stop.throwIfAborted();
    return skipped('clock', `the API does not answer: ${errorText(error)}`);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', onStop);
  }
}

/**
 * @param date the header of the answer
 * @param askedAt milliseconds since 1970 by this machine's clock, as `answeredAt`
 */
export function judgeClock(date: string | null, askedAt: number, answeredAt: number): Check {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return skipped('clock', 'the answer of the API does not tell the time');
  // Theirs is somewhere in a second, and was told somewhere between asking and the answer.
  const aheadMs = Math.max(0, askedAt - (theirs + 1_000)) - Math.max(0, theirs - answeredAt);
  const apart = `the clock of this machine is ${roughDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} the API's`;
  const todo = 'have it set by NTP, for example with "timedatectl set-ntp true"';
  if (Math.abs(aheadMs) > skewMs.wrong) return failed('clock', apart, todo);
  if (Math.abs(aheadMs) > skewMs.noticed) return warning('clock', apart, todo);
  return ok('clock', `within ${roughDuration(skewMs.noticed)} of the API's`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
