/**
 * report: reports, and the queries `report` and `reports`.
 */
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { ArgBuilder, Builder, FilterInput, OrderInput, TypeRef } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import type { ReportField, ReportFilter } from '../index/filter.ts';
import {
  type HostRow,
  type Order,
  type ReportOrderField,
  type ReportRow,
  type ResultRow,
  reportPosition,
} from '../index/index-store.ts';
import {
  type Connection,
  type ConnectionTypes,
  type PageArgs,
  pageArgs,
  resolveConnection,
} from './connection.ts';
import { factsFields, type PluginTypes } from './facts-fields.ts';
import { defineFilter, type OwnFields, toFilter } from './filter-input.ts';
import { type DirectionType, defineOrder } from './order.ts';

const newestFirst: Order<ReportOrderField> = { field: 'COLLECTED_AT', direction: 'DESC' };

const filterFields: OwnFields<ReportField> = {
  id: { compare: 'id', description: "The report's id." },
  host: { compare: 'id', description: "The host's id." },
  hostName: { compare: 'text', description: "The host's name, as its newest report tells it." },
  collectedAt: { compare: 'instant', description: "When it was collected, by the host's clock." },
  receivedAt: { compare: 'instant', description: "When it was received, by the server's clock." },
};

/** Defines the inputs that a list of reports takes. */
export function defineReportInputs(
  builder: Builder,
  direction: DirectionType,
  plugins: readonly AnyPlugin[],
): void {
  defineFilter(builder, 'ReportFilter', filterFields, plugins);
  const fields = { COLLECTED_AT: "The host's clock.", RECEIVED_AT: "The server's clock." };
  defineOrder(builder, direction, 'Report', fields, newestFirst);
}

export type ReportTypeOptions = {
  report: TypeRef<ReportRow>;
  host: TypeRef<HostRow>;
  result: TypeRef<ResultRow>;
  pluginTypes: PluginTypes;
};

export function implementReport(
  builder: Builder,
  { report, host, result, pluginTypes }: ReportTypeOptions,
): void {
  builder.objectType(report, {
    description: 'What an agent found on its host at one time.',
    fields: (t) => ({
      id: t.field({ type: 'UUID', resolve: (row) => row.id }),
      host: t.field({
        type: host,
        resolve: async (row, _args, { loaders }) => {
          const found = await loaders.host.load(row.hostId).catch((cause) => {
            // The report was acknowledged, so the answer must not fail for want of the index.
            if (row.ownHost) return null;
            throw cause;
          });
          const host = found ?? row.ownHost;
          if (!host) throw new Error(`no host ${row.hostId} for report ${row.id}`);
          return host;
        },
      }),
      agentVersion: t.exposeString('agentVersion', { nullable: true }),
      collectedAt: t.field({
        type: 'DateTime',
        description: "The host's clock.",
        resolve: (row) => new Date(row.collectedAt),
      }),
      receivedAt: t.field({
        type: 'DateTime',
        description: "The server's clock.",
        resolve: (row) => new Date(row.receivedAt),
      }),
      results: t.field({
        type: [result],
        description: 'What each plugin gave, in the order of the config.',
        resolve: (row) => row.results,
      }),
      ...factsFields(t, pluginTypes, async (row) => row.results),
    }),
  });
}

export function defineReportQueries(
  builder: Builder,
  report: TypeRef<ReportRow>,
  connections: ConnectionTypes,
) {
  const connection = connections('Report', report);
  builder.queryFields((t) => ({
    report: t.field({
      type: report,
      nullable: true,
      description: 'One report; null when there is none of this id.',
      args: { id: t.arg({ type: 'UUID', required: true }) },
      resolve: (_root, { id }, { loaders }) => loaders.report.load(id),
    }),
    reports: t.field({
      type: connection,
      description: 'Reports, the newest first if no order is given.',
      args: { filter: t.arg({ type: 'ReportFilter' }), ...reportListArgs(t) },
      resolve: (_root, args, context) => listReports(args, context),
    }),
  }));
  return connection;
}

/** What a list of reports takes beside its filter. */
export function reportListArgs(t: ArgBuilder) {
  return { orderBy: t.arg({ type: 'ReportOrder' }), ...pageArgs(t) };
}

export type ReportListArgs = PageArgs & {
  filter?: FilterInput | null;
  orderBy?: OrderInput<ReportOrderField> | null;
};

/** @param scope a filter that the list has of its own, beside the client's */
export function listReports(
  args: ReportListArgs,
  { index, plugins, budget }: ApiContext,
  scope: ReportFilter | null = null,
): Promise<Connection<ReportRow>> {
  const order = args.orderBy ?? newestFirst;
  const asked = toFilter(args.filter, filterFields, plugins);
  const filter: ReportFilter = { kind: 'and', filters: [asked, scope].filter((part) => part !== null) };
  return resolveConnection(args, {
    budget,
    order,
    list: (slice) => index.reports({ filter, order }, slice),
    count: () => index.countReports(filter),
    position: (row) => reportPosition(row, order.field),
  });
}
