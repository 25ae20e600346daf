/**
 * schema: puts the whole GraphQL schema together from the plugins that the server knows.
 */
import type { GraphQLSchema } from 'graphql';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { createBuilder } from '../builder.ts';
import type { HostRow, ReportRow } from '../index/index-store.ts';
import { defineComparisons } from './comparison.ts';
import { connectionTypes } from './connection.ts';
import { defineHostInputs, defineHostQueries, implementHost } from './host.ts';
import { defineDirection } from './order.ts';
import { definePluginFacts } from './plugin-facts.ts';
import { definePluginFilter } from './plugin-filter.ts';
import { definePluginInfo } from './plugin-info.ts';
import { definePluginResult, definePluginStatus } from './plugin-result.ts';
import { defineReportInputs, defineReportQueries, implementReport } from './report.ts';
import { defineSubmitReport } from './submit-report.ts';
import { assertTypeNames } from './type-names.ts';

/** @throws Failure INVALID when a plugin's name, or that of a list in it, cannot be a type of this schema */
export function buildSchema(plugins: readonly AnyPlugin[]): GraphQLSchema {
  assertTypeNames(Object.keys(build([]).getTypeMap()), plugins);
  return build(plugins);
}

function build(plugins: readonly AnyPlugin[]): GraphQLSchema {
  const builder = createBuilder();
  defineComparisons(builder);
  const status = definePluginStatus(builder);
  const direction = defineDirection(builder);
  for (const plugin of plugins) definePluginFilter(builder, plugin);
  const pluginTypes = new Map(plugins.map((plugin) => [plugin, definePluginFacts(builder, plugin)]));

  defineReportInputs(builder, direction, plugins);
  defineHostInputs(builder, direction, plugins);
  // Hosts and reports lead to each other, so both are named before either is told in full.
  const report = builder.objectRef<ReportRow>('Report');
  const host = builder.objectRef<HostRow>('Host');
  const connections = connectionTypes(builder);
  const reportConnection = defineReportQueries(builder, report, connections);
  implementReport(builder, {
    report,
    host,
    result: definePluginResult(builder, status, plugins),
    pluginTypes,
  });
  implementHost(builder, { host, reportConnection, pluginTypes });
  defineHostQueries(builder, host, connections);
  definePluginInfo(builder);
  defineSubmitReport(builder, status, report);
  return builder.toSchema({ sortSchema: true });
}
