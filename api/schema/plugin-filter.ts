/**
 * plugin-filter: the filter inputs of each plugin's facts, derived from its declaration.
 */
import { type Facts, isScalar, type ListElement, type ScalarFact, scalarKinds } from '../../plugins/fact.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Builder } from '../builder.ts';
import { columnOf } from '../index/comparable.ts';
import type { FactCondition } from '../index/filter.ts';
import { type ComparisonInput, comparisonTypeName, toTests } from './comparison.ts';
import type { InputPath } from './input-error.ts';
import { typeName } from './type-name.ts';

/** What a client sends to filter by the facts of a plugin, or of a record in a list. */
export type FactsFilterInput = Record<string, unknown>;

export function pluginFilterName(plugin: AnyPlugin): string {
  return `${typeName(plugin.name)}Filter`;
}

/** Defines `<Plugin>Filter`, and the filters of its lists. */
export function definePluginFilter(builder: Builder, plugin: AnyPlugin): void {
  defineFactsFilter(
    builder,
    typeName(plugin.name),
    plugin.facts,
    `Hosts or reports by their ${plugin.name} facts.`,
  );
}

function defineFactsFilter(builder: Builder, name: string, facts: Facts, description: string): void {
  const types = Object.fromEntries(
    Object.entries(facts).map(([field, fact]) => [
      field,
      fact.kind === 'list'
        ? defineListFilter(builder, `${name}${typeName(field)}`, fact.of)
        : comparisonTypeName(scalarKinds[fact.kind].compare),
    ]),
  );
  builder.inputRef<FactsFilterInput>(`${name}Filter`).implement({
    description,
    fields: (t) =>
      Object.fromEntries(
        Object.entries(facts).map(([field, { description: meaning }]) => [
          field,
          t.field({ type: types[field] as never, description: meaning }),
        ]),
      ),
  });
}

/** Defines the filter of a list and returns its name; lists of single values share one for each kind. */
function defineListFilter(builder: Builder, name: string, of: ListElement): string {
  const element = isScalar(of) ? comparisonTypeName(scalarKinds[of.kind].compare) : `${name}ItemFilter`;
  const listName = `${name}ListFilter`;
  if (!isScalar(of))
    defineFactsFilter(builder, `${name}Item`, of, 'All of it holds for one and the same element.');
  builder.inputRef<{ some?: unknown }>(listName).implement({
    description: 'Lists by what is in them.',
    fields: (t) => ({
      some: t.field({ type: element as never, description: 'At least one element passes.' }),
    }),
  });
  return listName;
}

/** @throws GraphQLError BAD_USER_INPUT with the path of the argument that cannot be used */
export function toFactConditions(
  plugin: AnyPlugin,
  input: FactsFilterInput,
  path: InputPath,
): FactCondition[] {
  return recordConditions(plugin.facts, input, plugin.name, path);
}

function recordConditions(
  facts: Facts,
  input: FactsFilterInput,
  factPath: string,
  path: InputPath,
): FactCondition[] {
  return Object.entries(input).flatMap(([name, given]) => {
    const fact = facts[name];
    if (!fact || given === null || given === undefined) return [];
    const here = `${factPath}.${name}`;
    if (fact.kind !== 'list') return [valueCondition(fact, given as ComparisonInput, here, [...path, name])];
    const { some } = given as { some?: ComparisonInput | null };
    if (!some) return [];
    const inner = [...path, name, 'some'];
    const conditions = isScalar(fact.of)
      ? [valueCondition(fact.of, some, here, inner)]
      : recordConditions(fact.of, some, here, inner);
    return [{ kind: 'some' as const, path: here, conditions }];
  });
}

function valueCondition(
  fact: ScalarFact,
  input: ComparisonInput,
  factPath: string,
  path: InputPath,
): FactCondition {
  const { compare } = scalarKinds[fact.kind];
  return { kind: 'value', path: factPath, column: columnOf(compare), tests: toTests(compare, input, path) };
}
