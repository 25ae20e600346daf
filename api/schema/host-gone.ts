/** host-gone: what a query is told that found a report or change, and then no host for it. */
import { GraphQLError } from 'graphql';
import type { Loaders } from '../loaders.ts';

/** Seconds: by then the list is without it. */
const retryAfter = 1;

/**
 * Since it was listed retention may have removed a host, or a report its labels, so that it may not be seen any more: then its
 * reports are gone as well. A report that is still there has lost its host, which is a bug of ours.
 */
export async function hostGone(loaders: Loaders, hostId: string, reportId: string): Promise<Error> {
  const report = await loaders.report.clear(reportId).load(reportId);
  if (report) return new Error(`no host ${hostId} for report ${reportId}`);
  const message = `host ${hostId} is not there any more: it was removed or relabelled while it was read; ask again`;
  return new GraphQLError(message, { extensions: { code: 'UNAVAILABLE', retryAfter } });
}
