/** host-gone: what a query is told that found a report or change, and then no host for it. */
import { GraphQLError } from 'graphql';

/** Seconds: by then the report is gone as well. */
const retryAfter = 1;

/** It was there when the list was read: since then retention removed it, or its labels took it out of what may be seen. */
export function hostGone(hostId: string): GraphQLError {
  const message = `host ${hostId} is not there any more: it was removed or relabelled while it was read; ask again`;
  return new GraphQLError(message, { extensions: { code: 'UNAVAILABLE', retryAfter } });
}
