/**
 * report: reports, and the queries `report`, `reports` and `reportCounts`.
 */
import { z } from 'zod';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { ArgBuilder, Builder, FilterInput, OrderInput, TypeRef } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import type { ReportField, ReportFilter } from '../index/filter.ts';
import {
  type ChangeRow,
  type HostRow,
  type Order,
  type ReportCount,
  type ReportListing,
  type ReportOrderField,
  type ReportRow,
  type ResultRow,
  reportCountUnits,
  reportPosition,
} from '../index/index-store.ts';
import { costs } from '../query-cost.ts';
import { changeListArgs, listChangesOf } from './change.ts';
import { type ComparisonInput, toTests } from './comparison.ts';
import {
  type Connection,
  type ConnectionTypes,
  cursorOf,
  type ListSource,
  type PageArgs,
  pageArgs,
  pageCost,
  resolveConnection,
} from './connection.ts';
import { factsFields, type PluginTypes } from './facts-fields.ts';
import {
  defineFilter,
  type FilterContext,
  type FilterField,
  type FilterFields,
  hostNamed,
  toFilter,
} from './filter-input.ts';
import { hostGone } from './host-gone.ts';
import { type DirectionType, defineOrder } from './order.ts';

const newestFirst: Order<ReportOrderField> = { field: 'COLLECTED_AT', direction: 'DESC' };

const filterFields: FilterFields<ReportFilter> = {
  id: ownField('id', 'IdFilter', 'text', "The report's id."),
  host: ownField('host', 'IdFilter', 'text', "The host's id."),
  hostName: {
    type: 'TextFilter',
    description: "The host's name, as its newest report tells it.",
    toFilter: (given: ComparisonInput, at) => ({ kind: 'host', filter: hostNamed(given, at) }),
  },
  collectedAt: ownField(
    'collectedAt',
    'InstantFilter',
    'instant',
    "When it was collected, by the host's clock.",
  ),
  receivedAt: ownField(
    'receivedAt',
    'InstantFilter',
    'instant',
    "When it was received, by the server's clock.",
  ),
};

function ownField(
  field: ReportField,
  type: string,
  compare: 'text' | 'instant',
  description: string,
): FilterField<ReportFilter> {
  return {
    type,
    description,
    toFilter: (given: ComparisonInput, at) => ({ kind: 'field', field, tests: toTests(compare, given, at) }),
  };
}

/** @throws GraphQLError BAD_USER_INPUT */
export function toReportFilter(
  input: FilterInput | null | undefined,
  context: FilterContext,
): Promise<ReportFilter | null> {
  return toFilter(input, filterFields, context);
}

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
  changeConnection: TypeRef<Connection<ChangeRow>>;
  pluginTypes: PluginTypes;
};

export function implementReport(
  builder: Builder,
  { report, host, result, changeConnection, pluginTypes }: ReportTypeOptions,
): void {
  builder.objectType(report, {
    description: 'What an agent found on its host at one time.',
    // Whoever sends one is answered with it, and may do no more than recognise it.
    authScopes: { read: true },
    fields: (t) => ({
      id: t.field({ type: 'UUID', skipTypeScopes: true, resolve: (row) => row.id }),
      host: t.field({
        type: host,
        resolve: async (row, _args, { loaders }) => {
          const found = await loaders.host.load(row.hostId).catch((cause) => {
            // The report was acknowledged, so the answer must not fail for want of the index.
            if (row.ownHost) return null;
            throw cause;
          });
          const host = found ?? row.ownHost;
          if (!host) throw await hostGone(loaders, row.hostId, row.id);
          return host;
        },
      }),
      agentVersion: t.exposeString('agentVersion', { nullable: true }),
      collectedAt: t.field({
        type: 'DateTime',
        skipTypeScopes: true,
        description: "The host's clock.",
        resolve: (row) => new Date(row.collectedAt),
      }),
      receivedAt: t.field({
        type: 'DateTime',
        skipTypeScopes: true,
        description: "The server's clock.",
        resolve: (row) => new Date(row.receivedAt),
      }),
      droppedReports: t.exposeInt('droppedReports', {
        nullable: true,
        description:
          'How many reports before this one never left the agent: too old or too many to keep, damaged or refused. Null when it did not say.',
      }),
      results: t.field({
        type: [result],
        description: 'What each plugin gave, in the order of the config.',
        resolve: (row) => row.results,
      }),
      changes: t.field({
        type: changeConnection,
        complexity: pageCost,
        description: 'What it told that the host had told otherwise before.',
        args: changeListArgs(t),
        resolve: (row, args, context) => listChangesOf({ report: row.id }, args, context),
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
      authScopes: { read: true },
      nullable: true,
      description: 'One report; null when there is none of this id.',
      args: { id: t.arg({ type: 'UUID', required: true }) },
      resolve: (_root, { id }, { loaders }) => loaders.report.load(id),
    }),
    reports: t.field({
      type: connection,
      authScopes: { read: true },
      complexity: pageCost,
      description: 'Reports, the newest first if no order is given.',
      args: reportListArgs(t),
      async resolve(_root, args, context) {
        const { index } = context;
        const listing = await toListing(args, context);
        return resolveConnection(args, {
          ...ofReports(listing),
          list: (slice) => index.reports(listing, slice),
          count: () => index.countReports(listing.filter),
        });
      },
    }),
  }));
  defineReportCounts(builder);
  return connection;
}

function defineReportCounts(builder: Builder): void {
  const unit = builder.enumType('ReportCountUnit', {
    description: 'How long a stretch of time is; they begin with those of UTC.',
    values: reportCountUnits,
  });
  const count = builder.objectRef<ReportCount>('ReportCount').implement({
    description: 'How many reports were collected in an hour or a day.',
    fields: (t) => ({
      at: t.field({
        type: 'DateTime',
        description: 'When it begins.',
        resolve: ({ at }) => new Date(at),
      }),
      reports: t.exposeInt('reports'),
    }),
  });
  builder.queryField('reportCounts', (t) =>
    t.field({
      type: [count],
      authScopes: { read: true },
      complexity: costs.allHosts(100),
      description:
        "Reports by the hour or day they were collected in, by the hosts' clocks, the oldest first; without those that have none.",
      args: {
        by: t.arg({ type: unit, required: true }),
        filter: t.arg({ type: 'ReportFilter' }),
      },
      resolve: async (_root, { by, filter }, context) =>
        context.index.reportCounts(await toReportFilter(filter, context), by),
    }),
  );
}

/** What a list of reports takes. */
export function reportListArgs(t: ArgBuilder) {
  return {
    filter: t.arg({ type: 'ReportFilter' }),
    orderBy: t.arg({ type: 'ReportOrder' }),
    ...pageArgs(t),
  };
}

export type ReportListArgs = PageArgs & {
  filter?: FilterInput | null;
  orderBy?: OrderInput<ReportOrderField> | null;
};

async function toListing(args: ReportListArgs, context: FilterContext): Promise<ReportListing> {
  return { filter: await toReportFilter(args.filter, context), order: args.orderBy ?? newestFirst };
}

function ofReports({ order }: ReportListing) {
  return {
    cursor: cursorOf(order, z.int()),
    position: (row) => reportPosition(row, order.field),
  } satisfies Partial<ListSource<ReportRow, unknown>>;
}

/** The reports of one host. */
export async function listReportsOf(
  hostId: string,
  args: ReportListArgs,
  context: ApiContext,
): Promise<Connection<ReportRow>> {
  const { loaders } = context;
  const listing = await toListing(args, context);
  return resolveConnection(args, {
    ...ofReports(listing),
    list: (slice) => loaders.reportsOfHost.load({ id: hostId, listing, slice }),
    count: () => loaders.reportCountOfHost.load({ id: hostId, filter: listing.filter }),
  });
}
