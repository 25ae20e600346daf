/**
 * subscriptions: what comes in, as it comes: `reportSubmitted` and `factsChanged`.
 *
 * Events are asked of the index when they come, so their filters mean what they mean in a query.
 */
import type { Builder, TypeRef } from '../builder.ts';
import type { ChangeRow, ReportRow } from '../index/index-store.ts';
import { toChangeFilter } from './change.ts';
import { toReportFilter } from './report.ts';

/** What reports in a few seconds of a busy fleet may have changed. */
const maxChangesAtOnce = 10_000;

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
        description: 'Reports as they come in, through whichever API on this index.',
        args: { filter: t.arg({ type: 'ReportFilter' }) },
        async subscribe(_root, args, context) {
          const filter = await toReportFilter(args.filter, context);
          return context.live.subscribe<ReportRow>({
            key: JSON.stringify(['reports', filter]),
            ask: (ids) => context.services.index.reportsAmong(ids, filter),
          });
        },
        resolve(row, _args, context) {
          context.renew();
          return row;
        },
      }),
      factsChanged: t.field({
        type: change,
        description:
          'What reports that come in tell otherwise than their hosts did before, the oldest first.',
        args: { filter: t.arg({ type: 'ChangeFilter' }) },
        async subscribe(_root, args, context) {
          const filter = await toChangeFilter(args.filter, context);
          return context.live.subscribe<ChangeRow>({
            key: JSON.stringify(['changes', filter]),
            async ask(reports) {
              const { index } = context.services;
              const rows = await index.changes({ ...filter, reports }, { limit: maxChangesAtOnce });
              return rows.reverse();
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
