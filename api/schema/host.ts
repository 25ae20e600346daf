/**
 * host: hosts as they are now, and the queries `host` and `hosts`.
 */
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Builder, FilterInput, OrderInput, TypeRef } from '../builder.ts';
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
import { factsFields, type PluginTypes } from './facts-fields.ts';
import { defineFilter, type OwnFields, toFilter } from './filter-input.ts';
import { hostStatus, hostStatuses } from './host-status.ts';
import { type DirectionType, defineOrder } from './order.ts';
import { listReports, reportListArgs } from './report.ts';

const byName: Order<HostOrderField> = { field: 'NAME', direction: 'ASC' };

const filterFields: OwnFields<HostField> = {
  id: { compare: 'id', description: "The host's id." },
  name: { compare: 'text', description: 'Its name, as its newest report tells it.' },
  firstSeenAt: { compare: 'instant', description: 'When its first report was received.' },
  lastSeenAt: { compare: 'instant', description: 'When its latest report was received.' },
};

/** Defines the inputs that a list of hosts takes. */
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
  const status = builder.enumType('HostStatus', {
    description: 'Whether a host still reports.',
    values: hostStatuses,
  });
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
        type: status,
        resolve: (row, _args, { now }) => hostStatus(row, now()),
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
          return listReports(args, context, scope);
        },
      }),
      ...factsFields(t, pluginTypes, (row, { loaders }) => loaders.latestResults.load(row.id)),
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
        filter: t.arg({ type: 'HostFilter' }),
        orderBy: t.arg({ type: 'HostOrder' }),
        ...pageArgs(t),
      },
      resolve: (_root, args, context) => listHosts(args, context),
    }),
  }));
}

type HostListArgs = PageArgs & {
  filter?: FilterInput | null;
  orderBy?: OrderInput<HostOrderField> | null;
};

function listHosts(args: HostListArgs, { index, plugins, budget }: ApiContext): Promise<Connection<HostRow>> {
  const order = args.orderBy ?? byName;
  const filter: HostFilter | null = toFilter(args.filter, filterFields, plugins);
  return resolveConnection(args, {
    budget,
    order,
    list: (slice) => index.hosts({ filter, order }, slice),
    count: () => index.countHosts(filter),
    position: (row) => hostPosition(row, order.field),
  });
}
