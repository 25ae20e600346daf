/**
 * plugin-facts: the output type of each plugin, facts and readings together, derived from its declaration.
 *
 * Every field is nullable, whatever the declaration says: what a host sent may not fit it, and then
 * that value alone is null here, while `facts(plugin:)` shows it as sent.
 */

import { responsePathAsArray } from 'graphql';
import { checkFacts } from '../../plugins/check-facts.ts';
import { type Fact, type Facts, isScalar, type ScalarKind, unitOf } from '../../plugins/fact.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { ArgBuilder, Builder, TypeRef } from '../builder.ts';
import type { ResultRow } from '../index/index-store.ts';
import { costs } from '../query-cost.ts';
import { inputError } from './input-error.ts';
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
        Object.entries(facts).map(([field, fact]) => {
          const options = {
            type: types[field] as never,
            nullable: true,
            description: describe(fact),
          } as const;
          if (fact.kind !== 'list') {
            return [field, t.field({ ...options, resolve: (parent) => parent[field] as never })];
          }
          return [
            field,
            t.field({
              ...options,
              complexity: ({ first }) =>
                isScalar(fact.of) ? 1 : { ...costs.elements, multiplier: first ?? costs.elements.multiplier },
              args: elementArgs(t),
              resolve(parent, args, { truncated, size }, info) {
                const shown = cut(parent[field] as unknown[] | null, args, (shown, of) => {
                  truncated.push({ path: responsePathAsArray(info.path), shown, of });
                });
                size.addElements(shown?.length ?? 0);
                return shown as never;
              },
            }),
          ];
        }),
      ),
  });
}

/** More than these only where they are asked for: thousands of packages are. */
const defaultElements = 1_000;
const maxElements = 10_000;

function elementArgs(t: ArgBuilder) {
  return {
    first: t.arg({
      type: 'Int',
      description: `How many elements, at most ${maxElements}. Without it ${defaultElements}, and where there are more, extensions.truncated of the answer says so.`,
    }),
    offset: t.arg({ type: 'Int', description: 'How many elements to leave out at the front.' }),
  };
}

type ElementArgs = { first?: number | null; offset?: number | null };

/** @param onCut told how many are shown, and of how many, where nobody asked for so few */
function cut(
  elements: readonly unknown[] | null,
  { first, offset }: ElementArgs,
  onCut: (shown: number, of: number) => void,
): readonly unknown[] | null {
  if (typeof first === 'number' && (first < 0 || first > maxElements)) {
    throw inputError(['first'], `must be from 0 to ${maxElements}, but is ${first}`);
  }
  if (typeof offset === 'number' && offset < 0) {
    throw inputError(['offset'], `must not be negative, but is ${offset}`);
  }
  if (!elements) return null;
  const from = offset ?? 0;
  const shown = elements.slice(from, from + (first ?? defaultElements));
  if (typeof first !== 'number' && from + shown.length < elements.length)
    onCut(shown.length, elements.length);
  return shown;
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
