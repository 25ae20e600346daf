/**
 * api-request: one GraphQL request to the API; whatever fails is told as a `SubmitError`.
 *
 * A `ClientError` of graphql-request holds the whole request in its message, and so is never passed on.
 */
import type { Agent } from 'node:http';
import { formatDuration } from '../../plugins/duration.ts';
import { DeadlineError, withDeadline } from '../deadline.ts';
import { AnswerTooLongError, type HttpFetchOptions, httpFetch } from '../http-fetch.ts';
import { shownUrl } from '../shown-url.ts';
import { fromFetch, fromResponse, type Hints, notGraphQL, unavailable } from '../submit-error.ts';

export type ApiAddress = {
  url: string;
  /** Makes the connections. @default Node's own */
  agent?: Agent | undefined;
  /** @default 30000 */
  timeoutMs?: number | undefined;
};

export type ApiRequest = {
  document: string;
  variables: object;
  token: string | null;
  hints: Hints;
};

/** The API acknowledges within a second or two; much later nobody waits for the answer any more. */
const defaultTimeoutMs = 30_000;

/** @throws SubmitError; the reason of `stop` once that is aborted */
export async function requestApi<T>(
  { url, agent, timeoutMs = defaultTimeoutMs }: ApiAddress,
  { document, variables, token, hints }: ApiRequest,
  stop: AbortSignal,
): Promise<T> {
  const api = shownUrl(url);
  // Loading it takes longer than everything else here, and what sends nothing does without.
  const { ClientError, GraphQLClient } = await import('graphql-request');
  const client = new GraphQLClient(url, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    // A redirect is not followed, as a redirected POST becomes a GET without a body: better to name the new address.
    fetch: (url, init) => httpFetch(new URL(String(url)), { ...(init as HttpFetchOptions), agent }),
  });
  try {
    return await withDeadline(timeoutMs, stop, (signal) =>
      client.request<T>({ document, variables: { ...variables }, signal }),
    );
  } catch (error) {
    stop.throwIfAborted();
    if (error instanceof DeadlineError) {
      const what = `the API at ${api} did not answer within ${formatDuration(timeoutMs)}`;
      throw unavailable(`${what}; is it overloaded, or does something on the way keep the answer?`, error);
    }
    if (error instanceof AnswerTooLongError) throw notGraphQL(api, error);
    throw error instanceof ClientError ? fromResponse(error, api, hints) : fromFetch(error, api);
  }
}
