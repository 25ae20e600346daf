/**
 * subscriptions: what comes in, as it comes: `reportSubmitted` and `factsChanged`.
 *
 * Events are asked of the index when they come, so their filters mean what they mean in a query.
 */
import type { Builder, TypeRef } from '../builder.ts';
import { Failure } from '../failure.ts';
import type { ReportFilter } from '../index/filter.ts';
import { type ChangeRow, changePosition, type IndexReader, type ReportRow } from '../index/index-store.ts';
import { toChangeFilter } from './change.ts';
import { toReportFilter } from './report.ts';

/** Of one question to the index; the others are asked for when these are read. */
const changesAtOnce = 1_000;

export function defineSubscriptions(
  builder: Builder,
  report: TypeRef<ReportRow>,
  change: TypeRef<ChangeRow>,
): void {
  builder.subscriptionType({
    description: 'What comes in, as it comes; over server-sent events (Accept: text/event-stream).',
    fields: (t) => ({
      reportSubmitted: t.field({
        type: report,
        authScopes: { read: true },
        description: 'Reports as they come in, through whichever API on this index.',
        args: { filter: t.arg({ type: 'ReportFilter' }) },
        async subscribe(_root, args, context) {
          const filter = await toReportFilter(args.filter, context);
          const { index } = context.services;
          return context.live.subscribe<ReportRow>({
            key: JSON.stringify(['reports', filter]),
            ask: async (ids) => ({ rows: await reportsAmong(index, ids, filter), goesOn: false }),
          });
        },
        resolve(row, _args, context) {
          context.renew();
          return row;
        },
      }),
      factsChanged: t.field({
        type: change,
        authScopes: { read: true },
        description:
          'What reports that come in tell otherwise than their hosts did before, the oldest first.',
        args: { filter: t.arg({ type: 'ChangeFilter' }) },
        async subscribe(_root, args, context) {
          const { services } = context;
          await toChangeFilter(args.filter, context);
          return context.live.subscribe<ChangeRow>({
            key: JSON.stringify(['changes', args.filter]),
            async ask(reports, after) {
              // Each time: what it means to be online depends on the time of day.
              const filter = await toChangeFilter(args.filter, services);
              const rest = after ? { before: changePosition(after) } : {};
              const slice = { ...rest, limit: changesAtOnce, fromEnd: true };
              const rows = await services.index.changes({ ...filter, reports }, slice);
              return { rows: rows.reverse(), goesOn: rows.length === changesAtOnce };
            },
          });
        },
        resolve(row, _args, context) {
          context.renew();
          return row;
        },
      }),
    }),
  });
}

/** In as many steps as it takes: there is a bound on the facts of one answer of the index. */
async function reportsAmong(
  index: IndexReader,
  ids: string[],
  filter: ReportFilter | null,
): Promise<ReportRow[]> {
  try {
    return await index.reportsAmong(ids, filter);
  } catch (cause) {
    const isTooMuch = cause instanceof Failure && cause.kind === 'INVALID';
    if (!isTooMuch || ids.length < 2) throw cause;
    const half = Math.ceil(ids.length / 2);
    const first = await reportsAmong(index, ids.slice(0, half), filter);
    return [...first, ...(await reportsAmong(index, ids.slice(half), filter))];
  }
}
