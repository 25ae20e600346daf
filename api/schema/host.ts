/**
 * host: hosts as they are now, and the queries `host` and `hosts`.
 */
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Builder, TypeRef } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import type { HostField, HostFilter } from '../index/filter.ts';
import {
  type HostOrderField,
  type HostRow,
  hostPosition,
  type Order,
  type ReportRow,
} from '../index/index-store.ts';
import {
  type Connection,
  type ConnectionTypes,
  type PageArgs,
  pageArgs,
  resolveConnection,
} from './connection.ts';
import { defineFilter, type FilterInput, type OwnFields, toFilter } from './filter-input.ts';
import { hostStatus, hostStatuses } from './host-status.ts';
import { type DirectionType, defineOrder, type OrderInput, toOrder } from './order.ts';
import { readFacts } from './plugin-facts.ts';
import { listReports, type PluginTypes, type ReportListArgs, reportListArgs } from './report.ts';

const byName: Order<HostOrderField> = { field: 'NAME', direction: 'ASC' };

const filterFields: OwnFields<HostField> = {
  id: { compare: 'id', description: "The host's id." },
  name: { compare: 'text', description: 'Its name, as its newest report tells it.' },
  firstSeenAt: { compare: 'instant', description: 'When its first report was received.' },
  lastSeenAt: { compare: 'instant', description: 'When its latest report was received.' },
};

/** Defines the inputs that a list of hosts takes, and the enum of states. */
export function defineHostInputs(
  builder: Builder,
  direction: DirectionType,
  plugins: readonly AnyPlugin[],
): void {
  defineFilter(builder, 'HostFilter', filterFields, plugins);
  const fields = {
    NAME: 'The name.',
    FIRST_SEEN_AT: 'When its first report was received.',
    LAST_SEEN_AT: 'When its latest report was received.',
  };
  defineOrder(builder, direction, 'Host', fields, byName);
  builder.enumType('HostStatus', {
    description: 'Whether a host still reports.',
    values: Object.fromEntries(
      Object.entries(hostStatuses).map(([status, description]) => [status, { description }]),
    ),
  });
}

export type HostTypeOptions = {
  host: TypeRef<HostRow>;
  reportConnection: TypeRef<Connection<ReportRow>>;
  pluginTypes: PluginTypes;
};

export function implementHost(
  builder: Builder,
  { host, reportConnection, pluginTypes }: HostTypeOptions,
): void {
  builder.objectType(host, {
    description: 'A machine that an agent reports from, as it is now.',
    fields: (t) => ({
      id: t.field({ type: 'UUID', resolve: (row) => row.id }),
      name: t.exposeString('name', { description: 'As its newest report tells it.' }),
      labels: t.field({ type: 'Labels', resolve: (row) => row.labels }),
      agentVersion: t.exposeString('agentVersion', { nullable: true }),
      firstSeenAt: t.field({
        type: 'DateTime',
        description: 'When its first report was received.',
        resolve: (row) => new Date(row.firstSeenAt),
      }),
      lastSeenAt: t.field({
        type: 'DateTime',
        description: 'When its latest report was received.',
        resolve: (row) => new Date(row.lastSeenAt),
      }),
      status: t.field({
        type: 'HostStatus' as never,
        resolve: (row, _args, { now }) => hostStatus(row, now()) as never,
      }),
      reports: t.field({
        type: reportConnection,
        description: 'Its reports, the newest first if no order is given.',
        args: reportListArgs(t),
        resolve: (row, args, context) => {
          const scope = {
            kind: 'field' as const,
            field: 'host' as const,
            tests: [{ op: 'eq' as const, value: row.id }],
          };
          return listReports(args as ReportListArgs, context, scope);
        },
      }),
      facts: t.field({
        type: 'JSON',
        nullable: true,
        description: 'The newest facts of any plugin at all, as sent; null when there are none.',
        args: { plugin: t.arg.string({ required: true }) },
        resolve: async (row, args, { loaders }) => {
          const results = await loaders.latestResults.load(row.id);
          return results.find(({ plugin }) => plugin === args.plugin)?.facts ?? null;
        },
      }),
      ...Object.fromEntries(
        [...pluginTypes].map(([plugin, type]) => [
          plugin.name,
          t.field({
            type,
            nullable: true,
            description: `${plugin.description}, as last told; null when it never was.`,
            resolve: async (row, _args, { loaders }) =>
              readFacts(plugin, await loaders.latestResults.load(row.id)),
          }),
        ]),
      ),
    }),
  });
}

export function defineHostQueries(
  builder: Builder,
  host: TypeRef<HostRow>,
  connections: ConnectionTypes,
): void {
  const connection = connections('Host', host);
  builder.queryFields((t) => ({
    host: t.field({
      type: host,
      nullable: true,
      description: 'One host; null when there is none of this id.',
      args: { id: t.arg({ type: 'UUID', required: true }) },
      resolve: (_root, { id }, { loaders }) => loaders.host.load(id),
    }),
    hosts: t.field({
      type: connection,
      description: 'Hosts, by name if no order is given.',
      args: {
        filter: t.arg({ type: 'HostFilter' as never }),
        orderBy: t.arg({ type: 'HostOrder' as never }),
        ...pageArgs(t),
      },
      resolve: (_root, args, context) => listHosts(args as HostListArgs, context),
    }),
  }));
}

type HostListArgs = PageArgs & {
  filter?: FilterInput | null;
  orderBy?: OrderInput<HostOrderField> | null;
};

function listHosts(args: HostListArgs, { index, plugins }: ApiContext): Promise<Connection<HostRow>> {
  const order = toOrder(args.orderBy, byName);
  const filter: HostFilter | null = toFilter(args.filter, filterFields, plugins);
  return resolveConnection(args, {
    order,
    list: (slice) => index.hosts({ filter, order }, slice),
    count: () => index.countHosts(filter),
    position: (row) => hostPosition(row, order.field),
  });
}
