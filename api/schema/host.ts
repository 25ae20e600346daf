/**
 * host: hosts as they are now or were at a moment in the past, and the queries `host` and `hosts`.
 */
import { z } from 'zod';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { ArgBuilder, Builder, FilterInput, OrderInput, TypeRef } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import { columnOf } from '../index/comparable.ts';
import type { HostFilter } from '../index/filter.ts';
import {
  type ChangeRow,
  type HostOrder,
  type HostOrderField,
  type HostQuestion,
  type HostRow,
  hostPosition,
  type Order,
  type ReportRow,
} from '../index/index-store.ts';
import { changeListArgs, listChangesOf } from './change.ts';
import { type ComparisonInput, toTests } from './comparison.ts';
import {
  type Connection,
  type ConnectionTypes,
  cursorOf,
  type PageArgs,
  pageArgs,
  pageCost,
  resolveConnection,
} from './connection.ts';
import { findFactPath } from './fact-path.ts';
import { factsFields, type PluginTypes } from './facts-fields.ts';
import { defineFilter, type FilterContext, type FilterFields, hostNamed, toFilter } from './filter-input.ts';
import { type HostStatus, hostStatus, hostStatuses, withStatus } from './host-status.ts';
import { inputError } from './input-error.ts';
import { type DirectionType, defineOrder } from './order.ts';
import { listReportsOf, reportListArgs } from './report.ts';

const byName: Order<HostOrderField> = { field: 'NAME', direction: 'ASC' };

const filterFields: FilterFields<HostFilter> = {
  id: {
    type: 'IdFilter',
    description: "The host's id.",
    toFilter: (given: ComparisonInput, at) => field('id', toTests('text', given, at)),
  },
  name: { type: 'TextFilter', description: 'Its name.', toFilter: hostNamed },
  firstSeenAt: {
    type: 'InstantFilter',
    description: 'When its first report was received.',
    toFilter: (given: ComparisonInput, at) => field('firstSeenAt', toTests('instant', given, at)),
  },
  lastSeenAt: {
    type: 'InstantFilter',
    description: 'When its latest report was received.',
    toFilter: (given: ComparisonInput, at) => field('lastSeenAt', toTests('instant', given, at)),
  },
  status: {
    type: ['HostStatus'],
    description: 'One of these.',
    toFilter: (given: HostStatus[], _at, { now }) => withStatus(given, now()),
  },
  changedSince: {
    type: 'DateTime',
    description: 'One of its facts became another at or after this instant.',
    toFilter: (given: Date) => ({ kind: 'changed', since: given.getTime() }),
  },
};

function field(name: 'id' | 'firstSeenAt' | 'lastSeenAt', tests: ReturnType<typeof toTests>): HostFilter {
  return { kind: 'field', field: name, tests };
}

/** @throws GraphQLError BAD_USER_INPUT */
export function toHostFilter(
  input: FilterInput | null | undefined,
  context: FilterContext,
  path?: readonly string[],
): Promise<HostFilter | null> {
  return toFilter(input, filterFields, context, path);
}

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
  defineOrder(builder, direction, 'Host', fields, byName, {
    fact: 'A fact that is in no list, such as os.kernel, to order by instead of `field`; hosts without it come last.',
  });
}

type HostStatusType = ReturnType<typeof defineHostStatus>;

export function defineHostStatus(builder: Builder) {
  return builder.enumType('HostStatus', {
    description: 'Whether a host still reports.',
    values: hostStatuses,
  });
}

export type HostTypeOptions = {
  host: TypeRef<HostRow>;
  report: TypeRef<ReportRow>;
  status: HostStatusType;
  reportConnection: TypeRef<Connection<ReportRow>>;
  changeConnection: TypeRef<Connection<ChangeRow>>;
  pluginTypes: PluginTypes;
};

export function implementHost(
  builder: Builder,
  { host, report, status, reportConnection, changeConnection, pluginTypes }: HostTypeOptions,
): void {
  builder.objectType(host, {
    description:
      'A machine that an agent reports from, as it is now or was at the moment that was asked for.',
    fields: (t) => ({
      id: t.field({ type: 'UUID', resolve: (row) => row.id }),
      name: t.exposeString('name', { description: 'As its newest report tells it.' }),
      labels: t.field({ type: 'Labels', resolve: (row) => row.labels }),
      agentVersion: t.exposeString('agentVersion', { nullable: true }),
      clonedFrom: t.field({
        type: 'UUID',
        nullable: true,
        description:
          'The host that its disk is of, when the agent found itself on another machine with it: a clone, or a backup restored elsewhere. Null for all others.',
        resolve: (row) => row.clonedFrom,
      }),
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
        resolve: (row, _args, { now }) => hostStatus(row, row.asOf ?? now()),
      }),
      reports: t.field({
        type: reportConnection,
        complexity: pageCost,
        description: 'Its reports, the newest first if no order is given.',
        args: reportListArgs(t),
        resolve: (row, args, context) => listReportsOf(row.id, args, context),
      }),
      reportAt: t.field({
        type: report,
        nullable: true,
        description: 'Its newest report by a moment; null when it had sent none.',
        args: { time: t.arg({ type: 'DateTime', required: true }) },
        resolve: (row, { time }, { loaders }) => loaders.reportAt.load({ id: row.id, at: time.getTime() }),
      }),
      changes: t.field({
        type: changeConnection,
        complexity: pageCost,
        description: 'What changed on it, the newest first.',
        args: changeListArgs(t),
        resolve: (row, args, context) => listChangesOf({ host: row.id }, args, context),
      }),
      ...factsFields(t, pluginTypes, ({ id, asOf }, { loaders }) => loaders.latestResults.load({ id, asOf })),
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
      authScopes: { read: true },
      nullable: true,
      description: 'One host; null when there is none of this id.',
      args: { id: t.arg({ type: 'UUID', required: true }) },
      resolve: (_root, { id }, { loaders }) => loaders.host.load(id),
    }),
    hosts: t.field({
      type: connection,
      authScopes: { read: true },
      complexity: pageCost,
      description: 'Hosts, by name if no order is given.',
      args: {
        ...hostQuestionArgs(t),
        orderBy: t.arg({ type: 'HostOrder' }),
        ...pageArgs(t),
      },
      resolve: (_root, args, context) => listHosts(args, context),
    }),
  }));
}

/** The arguments of whatever asks about hosts at a moment. */
export function hostQuestionArgs(t: ArgBuilder) {
  return {
    filter: t.arg({ type: 'HostFilter' }),
    asOf: t.arg({
      type: 'DateTime',
      description: 'A moment in the past: hosts as they were then. Now if it is not given.',
    }),
  };
}

export type HostQuestionArgs = { filter?: FilterInput | null; asOf?: Date | null };

/** @throws GraphQLError BAD_USER_INPUT */
export async function toHostQuestion(args: HostQuestionArgs, context: FilterContext): Promise<HostQuestion> {
  const asOf = args.asOf?.getTime() ?? null;
  const filter = await toHostFilter(args.filter, context);
  // What is still to come is as what is now.
  return { filter, asOf: asOf !== null && asOf >= context.now() ? null : asOf };
}

type HostListArgs = HostQuestionArgs &
  PageArgs & { orderBy?: (OrderInput<HostOrderField> & { fact?: string | null }) | null };

async function listHosts(args: HostListArgs, context: ApiContext): Promise<Connection<HostRow>> {
  const { index } = context;
  const question = await toHostQuestion(args, context);
  const order = await toHostOrder(args.orderBy, context);
  return resolveConnection(args, {
    cursor: cursorOf({ ...order, field: order.fact?.path ?? order.field }, cursorValue(order)),
    list: (slice) => index.hosts({ ...question, order }, slice),
    count: () => index.countHosts(question),
    position: hostPosition,
  });
}

async function toHostOrder(given: HostListArgs['orderBy'], context: ApiContext): Promise<HostOrder> {
  const { fact, ...order } = { fact: null, ...(given ?? byName) };
  if (typeof fact !== 'string') return order;
  const at = ['orderBy', 'fact'];
  const { inList, ...found } = await findFactPath(fact, at, context);
  if (inList)
    throw inputError(at, `${fact} is in a list, of which a host may have many: hosts have no order by it`);
  return { field: 'FACT', direction: order.direction, fact: found };
}

/** What the cursors of an order hold. */
function cursorValue({ field: by, fact }: HostOrder) {
  if (by === 'NAME') return z.string();
  if (by !== 'FACT') return z.int();
  const isNumber = fact?.compare && columnOf(fact.compare) === 'number';
  return isNumber ? z.number().nullable() : z.string().nullable();
}
