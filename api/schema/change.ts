/**
 * change: facts that became others, and the query `changes`.
 */
import { z } from 'zod';
import { canonicalJson } from '../../plugins/fact-set.ts';
import type { ArgBuilder, Builder, FilterInput, TypeRef } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import type { ChangeFilter } from '../index/filter.ts';
import {
  type ChangePosition,
  type ChangeRow,
  changePosition,
  type HostRow,
  type ReportRow,
} from '../index/index-store.ts';
import { type ComparisonInput, toTests } from './comparison.ts';
import {
  type Connection,
  type ConnectionTypes,
  type ListSource,
  type PageArgs,
  pageArgs,
  pageCost,
  resolveConnection,
} from './connection.ts';
import type { CursorKind } from './cursor.ts';
import { checkChangePath, checkPlugin } from './fact-path.ts';
import type { FilterContext } from './filter-input.ts';
import { toHostFilter } from './host.ts';
import { hostGone } from './host-gone.ts';
import { inputError } from './input-error.ts';
import { asSent } from './plugin-result.ts';

type TimeRangeInput = { start?: Date | null; end?: Date | null };

export type ChangeFilterInput = {
  host?: ComparisonInput | null;
  hosts?: FilterInput | null;
  plugin?: string | null;
  path?: string | null;
  between?: TimeRangeInput | null;
  from?: unknown;
  to?: unknown;
  initial?: boolean | null;
};

const ofWholePlugin =
  '; of a plugin that began or ceased to tell facts all of them, where `plugin` or `path` names it.';

export function defineChangeInputs(builder: Builder): void {
  builder.inputRef<TimeRangeInput>('TimeRange').implement({
    description: 'A stretch of time; a side that is left out is open.',
    fields: (t) => ({
      start: t.field({ type: 'DateTime', description: 'The first instant that belongs to it.' }),
      end: t.field({ type: 'DateTime', description: 'The first instant that does not.' }),
    }),
  });
  builder.inputRef<ChangeFilterInput>('ChangeFilter').implement({
    description: 'Everything that is given must hold.',
    fields: (t) => ({
      host: t.field({ type: 'IdFilter' as never, description: "The host's id." }),
      hosts: t.field({ type: 'HostFilter' as never, description: 'Hosts as they are now.' }),
      plugin: t.string({ description: 'The plugin; `host` for what hosts tell of themselves.' }),
      path: t.string({ description: 'This fact, such as os.kernel, or whatever lies below it.' }),
      between: t.field({ type: 'TimeRange' as never, description: 'When it happened.' }),
      from: t.field({ type: 'JSON', description: `The value before${ofWholePlugin}` }),
      to: t.field({ type: 'JSON', description: `The value after${ofWholePlugin}` }),
      initial: t.boolean({
        description: 'true: also what a host told of a plugin for the first time, which changes nothing.',
      }),
    }),
  });
}

export type ChangeTypeOptions = {
  change: TypeRef<ChangeRow>;
  host: TypeRef<HostRow>;
  report: TypeRef<ReportRow>;
};

export function implementChange(builder: Builder, { change, host, report }: ChangeTypeOptions): void {
  builder.objectType(change, {
    description:
      'A fact that became another. Elements of a list are told by their key; where a plugin began or ceased to tell facts, all of them are the value.',
    fields: (t) => ({
      host: t.field({
        type: host,
        resolve: async (row, _args, { loaders }) => {
          const found = await loaders.host.load(row.hostId);
          if (!found) throw await hostGone(loaders, row.hostId, row.reportId);
          return found;
        },
      }),
      report: t.field({
        type: report,
        nullable: true,
        description: 'The first that told it; null when it is no longer kept.',
        resolve: (row, _args, { loaders }) => loaders.report.load(row.reportId),
      }),
      at: t.field({
        type: 'DateTime',
        description: "When that was, by the host's clock or the server's, whichever was behind.",
        resolve: (row) => new Date(row.at),
      }),
      plugin: t.exposeString('plugin'),
      path: t.exposeString('path', { description: '`plugin.field`, through lists without a position.' }),
      keys: t.exposeStringList('keys', {
        description:
          'Of the list elements on the way: ["eth0"] for network.interfaces.mtu; empty outside of lists.',
      }),
      before: t.field({
        type: 'JSON',
        nullable: true,
        description: 'Null: there was no value.',
        resolve: ({ before }, _args, { size }) => asSent(before, size),
      }),
      after: t.field({
        type: 'JSON',
        nullable: true,
        description: 'Null: there is no value.',
        resolve: ({ after }, _args, { size }) => asSent(after, size),
      }),
    }),
  });
}

export function defineChangeQueries(
  builder: Builder,
  change: TypeRef<ChangeRow>,
  connections: ConnectionTypes,
): TypeRef<Connection<ChangeRow>> {
  const connection = connections('Change', change);
  builder.queryField('changes', (t) =>
    t.field({
      type: connection,
      authScopes: { read: true },
      complexity: pageCost,
      description: 'What changed on hosts, fact by fact, the newest first. Readings never do.',
      args: changeListArgs(t),
      resolve: async (_root, args, context) => {
        const { index } = context;
        const filter = await toChangeFilter(args.filter, context);
        return resolveConnection(args, {
          ...ofChanges,
          list: (slice) => index.changes(filter, slice),
          count: () => index.countChanges(filter),
        });
      },
    }),
  );
  return connection;
}

export function changeListArgs(t: ArgBuilder) {
  return { filter: t.arg({ type: 'ChangeFilter' }), ...pageArgs(t) };
}

type ChangeListArgs = PageArgs & { filter?: ChangeFilterInput | null };

const cursor: CursorKind<ChangePosition> = {
  order: 'AT DESC',
  place: z.object({ at: z.int(), report: z.uuid(), plugin: z.string(), number: z.int32() }),
};
const ofChanges = { cursor, position: changePosition } satisfies Partial<
  ListSource<ChangeRow, ChangePosition>
>;

/** The changes of one host, or those that one report told. */
export async function listChangesOf(
  of: { host: string } | { report: string },
  args: ChangeListArgs,
  { loaders, ...context }: ApiContext,
): Promise<Connection<ChangeRow>> {
  const filter = await toChangeFilter(args.filter, context);
  const own =
    'host' in of ? { kind: 'host' as const, id: of.host } : { kind: 'report' as const, id: of.report };
  return resolveConnection(args, {
    ...ofChanges,
    list: (slice) => loaders.changesOf.load({ ...own, filter, slice }),
    count: () => loaders.changeCountOf.load({ ...own, filter }),
  });
}

/** @throws GraphQLError BAD_USER_INPUT */
export async function toChangeFilter(
  given: ChangeFilterInput | null | undefined,
  context: FilterContext,
): Promise<ChangeFilter> {
  const { host, hosts, plugin, path, between, from, to, initial } = given ?? {};
  if (typeof plugin === 'string') await checkPlugin(plugin, ['filter', 'plugin'], context);
  if (typeof path === 'string') {
    const at = ['filter', 'path'];
    await checkChangePath(path, at, context);
    if (typeof plugin === 'string' && path.split('.')[0] !== plugin) {
      throw inputError(
        at,
        `${path} is of another plugin than ${plugin}, which filter.plugin names: take one of them`,
      );
    }
  }
  const { start, end } = between ?? {};
  if (start && end && start >= end) {
    throw inputError(
      ['filter', 'between'],
      `ends at ${end.toISOString()}, before it starts at ${start.toISOString()}: swap start and end`,
    );
  }
  const byId = host
    ? ({ kind: 'field', field: 'id', tests: toTests('text', host, ['filter', 'host']) } as const)
    : null;
  const ofHosts = await toHostFilter(hosts, context, ['filter', 'hosts']);
  const both = [byId, ofHosts].filter((filter) => filter !== null);
  const value = (json: unknown) => (json === null || json === undefined ? null : canonicalJson(json));
  return {
    host: both.length > 0 ? { kind: 'and', filters: both } : null,
    reports: null,
    plugin: plugin ?? null,
    path: path ?? null,
    start: start?.getTime() ?? null,
    end: end?.getTime() ?? null,
    before: value(from),
    after: value(to),
    initial: initial ?? false,
  };
}
