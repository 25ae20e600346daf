/**
 * plugin-filter: the filter inputs of each plugin's facts, derived from its declaration.
 */
import { type Facts, isScalar, type ListElement, type ScalarFact, scalarKinds } from '../../plugins/fact.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Builder } from '../builder.ts';
import { columnOf } from '../index/comparable.ts';
import type { FactCondition } from '../index/filter.ts';
import { type ComparisonInput, comparisonTypeName, toTests } from './comparison.ts';
import { countNesting, maxFilterParts } from './filter-bounds.ts';
import { type InputPath, inputError } from './input-error.ts';
import { typeName } from './type-name.ts';

/** What a client sends to filter by the facts of a plugin, or of a record in a list. */
export type FactsFilterInput = Record<string, unknown>;
type ListFilterInput = Record<string, unknown>;

const quantifiers = {
  some: 'At least one element passes.',
  every: 'All elements pass, as those of an empty list do; the list is known.',
  none: 'No element passes; the list is known.',
} as const;

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
  const filterName = `${name}Filter`;
  builder.inputRef<FactsFilterInput>(filterName).implement({
    description,
    fields: (t) => ({
      ...Object.fromEntries(
        Object.entries(facts).map(([field, { description: meaning }]) => [
          field,
          t.field({ type: types[field] as never, description: meaning }),
        ]),
      ),
      and: t.field({ type: [filterName] as never, description: 'All of these hold.' }),
      or: t.field({
        type: [filterName] as never,
        description: 'At least one of these holds; none does when it is empty.',
      }),
      not: t.field({ type: filterName as never, description: 'This does not hold.' }),
    }),
  });
}

/** Defines the filter of a list and returns its name; lists of single values share one for each kind. */
function defineListFilter(builder: Builder, name: string, of: ListElement): string {
  const element = isScalar(of) ? comparisonTypeName(scalarKinds[of.kind].compare) : `${name}ItemFilter`;
  const listName = `${name}ListFilter`;
  if (!isScalar(of))
    defineFactsFilter(builder, `${name}Item`, of, 'All of it holds for one and the same element.');
  builder.inputRef<ListFilterInput>(listName).implement({
    description: 'Lists by what is in them.',
    fields: (t) => ({
      ...Object.fromEntries(
        Object.entries(quantifiers).map(([quantifier, description]) => [
          quantifier,
          t.field({ type: element as never, description }),
        ]),
      ),
      length: t.field({ type: 'NumberFilter' as never, description: 'How many elements it has.' }),
      isNull: t.boolean({ description: 'true: the list is unknown. false: it is known.' }),
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
  return recordConditions(plugin.facts, input, plugin.name, path, 1);
}

function recordConditions(
  facts: Facts,
  input: FactsFilterInput,
  factPath: string,
  path: InputPath,
  depth: number,
): FactCondition[] {
  countNesting(depth, path);
  const inner = (given: unknown, at: InputPath): FactCondition => ({
    kind: 'and',
    conditions: recordConditions(facts, given as FactsFilterInput, factPath, at, depth + 1),
  });
  return Object.entries(input).flatMap(([name, given]): FactCondition[] => {
    if (given === null || given === undefined) return [];
    const here = [...path, name];
    if (name === 'and' || name === 'or') {
      const parts = given as unknown[];
      if (parts.length > maxFilterParts) throw inputError(here, `must be at most ${maxFilterParts} filters`);
      return [{ kind: name, conditions: parts.map((part, index) => inner(part, [...here, index])) }];
    }
    if (name === 'not') return [{ kind: 'not', condition: inner(given, here) }];
    const fact = facts[name];
    if (!fact) return [];
    const at = `${factPath}.${name}`;
    if (fact.kind === 'list') return listConditions(fact.of, given as ListFilterInput, at, here, depth);
    return [valueCondition(fact, given as ComparisonInput, at, here)];
  });
}

function listConditions(
  of: ListElement,
  input: ListFilterInput,
  factPath: string,
  path: InputPath,
  depth: number,
): FactCondition[] {
  return Object.entries(input).flatMap(([name, given]): FactCondition[] => {
    if (given === null || given === undefined) return [];
    const here = [...path, name];
    const ofLength = { kind: 'length', path: factPath, column: 'number' } as const;
    if (name === 'isNull') return [{ ...ofLength, tests: [{ op: 'isNull', value: given === true }] }];
    if (name === 'length') return [{ ...ofLength, tests: toTests('number', given as ComparisonInput, here) }];
    const conditions = isScalar(of)
      ? [valueCondition(of, given as ComparisonInput, factPath, here)]
      : recordConditions(of, given as FactsFilterInput, factPath, here, depth + 1);
    return [{ kind: name as keyof typeof quantifiers, path: factPath, conditions }];
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
