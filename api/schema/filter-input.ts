/**
 * filter-input: what reports and hosts have in common as filters: own fields, labels, results, facts, and, or, not.
 */
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Builder, FilterInput } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import { withoutNul } from '../index/comparable.ts';
import { hostPathRoot } from '../index/digest.ts';
import type { FactCondition, FactsFilter, HostFilter, ReportFilter } from '../index/filter.ts';
import { ofHost } from '../index/filter-condition.ts';
import type { PluginStatus } from '../log/stored-report.ts';
import { type ComparisonInput, toTests } from './comparison.ts';
import { toFactFilter } from './fact-filter.ts';
import { checkSize, countNesting, maxFilterParts } from './filter-bounds.ts';
import { type InputPath, inputError } from './input-error.ts';
import { type FactsFilterInput, pluginFilterName, toFactConditions } from './plugin-filter.ts';

export type FilterContext = Pick<ApiContext, 'plugins' | 'index' | 'now'>;

/** A field of a filter type: what a client gives for it, and what that asks of the index. */
export type FilterField<Filter> = {
  type: string | [string];
  description: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is given follows from the field's type in the schema
  toFilter(given: any, at: InputPath, context: FilterContext): Filter | Promise<Filter>;
};

export type FilterFields<Filter> = Readonly<Record<string, FilterField<Filter>>>;

type ResultFilterInput = { plugin: string; status?: PluginStatus[] | null; error?: ComparisonInput | null };

/** What a report says of its host, and of its results. */
const sharedFields: FilterFields<FactsFilter> = {
  label: {
    type: 'LabelFilter',
    description: 'A label; for several of them take `and`.',
    toFilter({ name, ...tests }: ComparisonInput, at) {
      const given = Object.keys(tests).length > 0 ? tests : { isNull: false };
      const path = `${hostPathRoot}.labels.${withoutNul(String(name))}`;
      return ofHost({ kind: 'value', path, column: 'text', tests: toTests('text', given, at) });
    },
  },
  result: {
    type: 'ResultFilter',
    description: 'How a plugin fared.',
    toFilter({ plugin, status, error }: ResultFilterInput, at) {
      // What hosts tell of themselves is kept as the result of a plugin without a name (see digest.ts).
      if (plugin === '')
        throw inputError([...at, 'plugin'], 'must not be empty: name a plugin, such as "cpu"');
      return {
        kind: 'result',
        plugin: withoutNul(plugin),
        statuses: status ?? null,
        error: error ? toTests('text', error, [...at, 'error']) : [],
      };
    },
  },
  fact: {
    type: 'FactFilter',
    description: 'Any fact by its path.',
    toFilter: toFactFilter,
  },
};

/** Defines the inputs that both filters have fields of. */
export function defineResultFilter(builder: Builder): void {
  builder.inputRef<ResultFilterInput>('ResultFilter').implement({
    description: 'A result by its plugin, and how that fared.',
    fields: (t) => ({
      plugin: t.string({ required: true }),
      status: t.field({ type: ['PluginStatus'] as never, description: 'One of these.' }),
      error: t.field({ type: 'TextFilter' as never, description: 'What went wrong.' }),
    }),
  });
}

export function defineFilter<Filter extends ReportFilter | HostFilter>(
  builder: Builder,
  name: string,
  fields: FilterFields<Filter>,
  plugins: readonly AnyPlugin[],
): void {
  builder.inputRef<FilterInput>(name).implement({
    description: 'Everything that is given must hold.',
    fields: (t) => {
      const own = Object.entries({ ...fields, ...sharedFields }).map(([field, { type, description }]) => [
        field,
        t.field({ type: type as never, description }),
      ]);
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
export async function toFilter<Filter extends ReportFilter | HostFilter>(
  input: FilterInput | null | undefined,
  fields: FilterFields<Filter>,
  context: FilterContext,
  path: InputPath = ['filter'],
  depth = 1,
): Promise<Filter | null> {
  if (!input) return null;
  countNesting(depth, path);
  const inner = async (given: unknown, at: InputPath) =>
    (await toFilter(given as FilterInput, fields, context, at, depth + 1)) ?? everything;

  const filters: unknown[] = [];
  for (const [name, given] of Object.entries(input)) {
    if (given === null || given === undefined) continue;
    const here = [...path, name];
    const field = fields[name] ?? sharedFields[name];
    if (name === 'and' || name === 'or') {
      const parts = given as unknown[];
      if (parts.length > maxFilterParts) throw inputError(here, `must be at most ${maxFilterParts} filters`);
      const of = [];
      for (const [index, part] of parts.entries()) of.push(await inner(part, [...here, index]));
      filters.push({ kind: name, filters: of });
    } else if (name === 'not') {
      filters.push({ kind: 'not', filter: await inner(given, here) });
    } else if (field) {
      filters.push(await field.toFilter(given, here, context));
    } else {
      filters.push(factsFilter(name, given as FactsFilterInput, here, context.plugins));
    }
  }
  const all: unknown = { kind: 'and', filters };
  if (depth === 1) checkSize(all as Filter, path);
  return all as Filter;
}

const everything = { kind: 'and', filters: [] } as const;

function factsFilter(
  name: string,
  given: FactsFilterInput,
  at: InputPath,
  plugins: readonly AnyPlugin[],
): FactsFilter {
  const plugin = plugins.find((known) => known.name === name);
  if (!plugin) throw new Error(`the schema has a filter for ${name}, and the server no such plugin`);
  return { kind: 'facts', plugin: name, conditions: toFactConditions(plugin, given, at) };
}

/** The host's name, as a condition on what it tells of itself. */
export function hostNamed(given: ComparisonInput, at: InputPath): FactsFilter {
  const condition: FactCondition = {
    kind: 'value',
    path: `${hostPathRoot}.name`,
    column: 'text',
    tests: toTests('text', given, at),
  };
  return ofHost(condition);
}
