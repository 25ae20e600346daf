/**
 * facts-fields: what reports and hosts tell of plugins: one typed field each, and `facts` for any at all.
 */
import type { FieldMap } from '@pothos/core';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { FieldBuilder, TypeRef } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import type { ResultRow } from '../index/index-store.ts';
import { costs } from '../query-cost.ts';
import { type FactsShape, readFacts } from './plugin-facts.ts';
import { asSent } from './plugin-result.ts';

/** The output type of each plugin that the server knows. */
export type PluginTypes = ReadonlyMap<AnyPlugin, TypeRef<FactsShape>>;

/** @param resultsOf the results that a row's facts are in, each plugin once */
export function factsFields<Row>(
  t: FieldBuilder<Row>,
  pluginTypes: PluginTypes,
  resultsOf: (row: Row, context: ApiContext) => Promise<readonly ResultRow[]>,
): FieldMap {
  const typed = [...pluginTypes].map(([plugin, type]) => [
    plugin.name,
    t.field({
      type,
      nullable: true,
      complexity: costs.facts,
      description: `${plugin.description}; null when it was not told.`,
      resolve: async (row, _args, context) => readFacts(plugin, await resultsOf(row, context)),
    }),
  ]);
  return {
    ...Object.fromEntries(typed),
    facts: t.field({
      type: 'JSON',
      nullable: true,
      complexity: costs.facts,
      description: 'The facts of any plugin at all, as sent; null when there are none.',
      args: { plugin: t.arg.string({ required: true }) },
      resolve: async (row, args, context) => {
        const results = await resultsOf(row, context);
        return asSent(results.find(({ plugin }) => plugin === args.plugin)?.facts ?? null, context.size);
      },
    }),
  };
}
