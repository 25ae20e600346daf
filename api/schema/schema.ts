/**
 * schema: puts the whole GraphQL schema together from the plugins that the server knows.
 */
import type { GraphQLSchema } from 'graphql';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import { assertScoped, guardFields } from '../auth/scopes.ts';
import { createBuilder } from '../builder.ts';
import type { ChangeRow, HostRow, ReportRow } from '../index/index-store.ts';
import { defineChangeInputs, defineChangeQueries, implementChange } from './change.ts';
import { defineComparisons } from './comparison.ts';
import { connectionTypes } from './connection.ts';
import { defineFactCounts, defineFactStats } from './fact-counts.ts';
import { defineFactFilter } from './fact-filter.ts';
import { defineResultFilter } from './filter-input.ts';
import { defineHostInputs, defineHostQueries, defineHostStatus, implementHost } from './host.ts';
import { defineDirection } from './order.ts';
import { definePluginFacts } from './plugin-facts.ts';
import { definePluginFilter } from './plugin-filter.ts';
import { definePluginInfo } from './plugin-info.ts';
import { definePluginResult, definePluginStatus } from './plugin-result.ts';
import { defineQuantities } from './quantities.ts';
import { defineReportInputs, defineReportQueries, implementReport } from './report.ts';
import { defineSubmitReport } from './submit-report.ts';
import { defineSubscriptions } from './subscriptions.ts';
import { defineTokens } from './tokens.ts';
import { assertTypeNames } from './type-names.ts';
import { defineScope, defineViewer } from './viewer.ts';

/** @throws Failure INVALID when a plugin's name, or that of a list in it, cannot be a type of this schema */
export function buildSchema(plugins: readonly AnyPlugin[]): GraphQLSchema {
  assertTypeNames(Object.keys(build([]).getTypeMap()), plugins);
  return build(plugins);
}

function build(plugins: readonly AnyPlugin[]): GraphQLSchema {
  const builder = createBuilder();
  defineQuantities(builder);
  defineComparisons(builder);
  defineFactFilter(builder);
  defineResultFilter(builder);
  const status = definePluginStatus(builder);
  const direction = defineDirection(builder);
  for (const plugin of plugins) definePluginFilter(builder, plugin);
  const pluginTypes = new Map(plugins.map((plugin) => [plugin, definePluginFacts(builder, plugin)]));

  defineReportInputs(builder, direction, plugins);
  defineHostInputs(builder, direction, plugins);
  defineChangeInputs(builder);
  // Hosts and reports lead to each other, so both are named before either is told in full.
  const report = builder.objectRef<ReportRow>('Report');
  const host = builder.objectRef<HostRow>('Host');
  const change = builder.objectRef<ChangeRow>('Change');
  const connections = connectionTypes(builder);
  const reportConnection = defineReportQueries(builder, report, connections);
  const changeConnection = defineChangeQueries(builder, change, connections);
  implementReport(builder, {
    report,
    host,
    result: definePluginResult(builder, status, plugins),
    changeConnection,
    pluginTypes,
  });
  implementHost(builder, {
    host,
    report,
    status: defineHostStatus(builder),
    reportConnection,
    changeConnection,
    pluginTypes,
  });
  implementChange(builder, { change, host, report });
  defineHostQueries(builder, host, connections);
  defineSubscriptions(builder, report, change);
  defineFactCounts(builder);
  defineFactStats(builder);
  definePluginInfo(builder);
  defineSubmitReport(builder, status, report);
  const scope = defineScope(builder);
  defineViewer(builder, scope);
  defineTokens(builder, scope);
  const schema = builder.toSchema({ sortSchema: true, disableScopeAuth: true });
  assertScoped(schema);
  guardFields(schema);
  return schema;
}
