/**
 * filter-input: what reports and hosts have in common as filters: own fields, plugins, and, or, not.
 */
import type { Comparison } from '../../plugins/fact.ts';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Builder, FilterInput } from '../builder.ts';
import type { FilterOf } from '../index/filter.ts';
import { type ComparisonInput, comparisonTypeName, toTests } from './comparison.ts';
import { type InputPath, inputError } from './input-error.ts';
import { type FactsFilterInput, pluginFilterName, toFactConditions } from './plugin-filter.ts';

/** Deeper and longer filters than anyone writes would only serve to exhaust the database. */
const maxDepth = 20;
const maxParts = 100;

/** A filter type's own fields: `id` compares ids, the rest are comparisons of facts. */
export type OwnFields<Field extends string> = Record<
  Field,
  { compare: Comparison | 'id'; description: string }
>;

export function defineFilter<Field extends string>(
  builder: Builder,
  name: string,
  fields: OwnFields<Field>,
  plugins: readonly AnyPlugin[],
): void {
  builder.inputRef<FilterInput>(name).implement({
    description: 'Everything that is given must hold.',
    fields: (t) => {
      const own = Object.entries<OwnFields<Field>[Field]>(fields).map(([field, { compare, description }]) => {
        const type = compare === 'id' ? 'IdFilter' : comparisonTypeName(compare);
        return [field, t.field({ type: type as never, description })];
      });
      const facts = plugins.map((plugin) => {
        const description = `The ${plugin.name} plugin told its facts, and they pass.`;
        return [plugin.name, t.field({ type: pluginFilterName(plugin) as never, description })];
      });
      return {
        ...Object.fromEntries([...own, ...facts]),
        and: t.field({ type: [name] as never, description: 'All of these hold.' }),
        or: t.field({
          type: [name] as never,
          description: 'At least one of these holds; none does when it is empty.',
        }),
        not: t.field({ type: name as never, description: 'This does not hold.' }),
      };
    },
  });
}

/** @throws GraphQLError BAD_USER_INPUT with the path of the argument that cannot be used */
export function toFilter<Field extends string>(
  input: FilterInput | null | undefined,
  fields: OwnFields<Field>,
  plugins: readonly AnyPlugin[],
  path: InputPath = ['filter'],
  depth = 1,
): FilterOf<Field> | null {
  if (!input) return null;
  if (depth > maxDepth) throw inputError(path, `filters may be nested ${maxDepth} deep, no deeper`);
  const inner = (given: unknown, at: InputPath) =>
    toFilter(given as FilterInput, fields, plugins, at, depth + 1) as FilterOf<Field>;

  const filters = Object.entries(input).flatMap(([name, given]): FilterOf<Field>[] => {
    if (given === null || given === undefined) return [];
    const here = [...path, name];
    if (name === 'and' || name === 'or') {
      if ((given as unknown[]).length > maxParts)
        throw inputError(here, `must be at most ${maxParts} filters`);
      return [
        { kind: name, filters: (given as unknown[]).map((part, index) => inner(part, [...here, index])) },
      ];
    }
    if (name === 'not') return [{ kind: 'not', filter: inner(given, here) }];
    const plugin = plugins.find((known) => known.name === name);
    if (plugin) {
      return [
        {
          kind: 'facts',
          plugin: name,
          conditions: toFactConditions(plugin, given as FactsFilterInput, here),
        },
      ];
    }
    const field = name as Field;
    const compare = fields[field].compare === 'id' ? 'text' : fields[field].compare;
    return [{ kind: 'field', field, tests: toTests(compare, given as ComparisonInput, here) }];
  });
  return { kind: 'and', filters };
}
