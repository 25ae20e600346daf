/**
 * plugin-facts: the output type of each plugin, facts and readings together, derived from its declaration.
 *
 * Every field is nullable, whatever the declaration says: what a host sent may not fit it, and then
 * that value alone is null here, while `facts(plugin:)` shows it as sent.
 */
import { checkFacts } from '../../plugins/check-facts.ts';
import { type Fact, type Facts, isScalar, type ScalarKind, unitOf } from '../../plugins/fact.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Builder, TypeRef } from '../builder.ts';
import type { ResultRow } from '../index/index-store.ts';
import { typeName } from './type-name.ts';

/** Facts and readings by name, those that fit. */
export type FactsShape = Record<string, unknown>;

const outputTypes: Record<ScalarKind, 'String' | 'SafeInt' | 'Float' | 'Boolean' | 'DateTime'> = {
  text: 'String',
  count: 'SafeInt',
  number: 'Float',
  bytes: 'SafeInt',
  hertz: 'Float',
  ratio: 'Float',
  boolean: 'Boolean',
  instant: 'DateTime',
  duration: 'Float',
  version: 'String',
  ip: 'String',
  mac: 'String',
};

/** Defines the type named like the plugin, and the types of records in its lists. */
export function definePluginFacts(builder: Builder, plugin: AnyPlugin): TypeRef<FactsShape> {
  return defineRecord(
    builder,
    typeName(plugin.name),
    { ...plugin.facts, ...plugin.readings },
    plugin.description,
  );
}

function defineRecord(
  builder: Builder,
  name: string,
  facts: Facts,
  description: string,
): TypeRef<FactsShape> {
  const types = Object.fromEntries(
    Object.entries(facts).map(([field, fact]) => [
      field,
      outputType(builder, `${name}${typeName(field)}`, fact),
    ]),
  );
  return builder.objectRef<FactsShape>(name).implement({
    description,
    fields: (t) =>
      Object.fromEntries(
        Object.entries(facts).map(([field, fact]) => [
          field,
          t.field({
            type: types[field] as never,
            nullable: true,
            description: describe(fact),
            resolve: (parent) => parent[field] as never,
          }),
        ]),
      ),
  });
}

function outputType(builder: Builder, name: string, fact: Fact): unknown {
  if (fact.kind !== 'list') return outputTypes[fact.kind];
  if (isScalar(fact.of)) return [outputTypes[fact.of.kind]];
  return [defineRecord(builder, `${name}Item`, fact.of, fact.description)];
}

function describe(fact: Fact): string {
  const unit = unitOf(fact);
  return unit && !fact.description.includes(unit) ? `${fact.description} (${unit})` : fact.description;
}

/** What a result says in the terms of the server's declaration; null when the plugin gave nothing. */
export function readFacts(plugin: AnyPlugin, results: readonly ResultRow[]): FactsShape | null {
  const result = results.find((row) => row.plugin === plugin.name);
  if (!result || (result.facts === null && result.readings === null)) return null;
  const readings = plugin.readings ? checkFacts(plugin.readings, result.readings ?? {}).values : {};
  return { ...checkFacts(plugin.facts, result.facts ?? {}).values, ...readings };
}
