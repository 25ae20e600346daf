/**
 * fact-counts: hosts by the value of a fact, and what numbers come to: the queries `factCounts` and `factStats`.
 */
import type { ArgBuilder, Builder } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import { columnOf } from '../index/comparable.ts';
import type { Distribution, FactCount } from '../index/index-store.ts';
import { costs } from '../query-cost.ts';
import { findFactPath } from './fact-path.ts';
import { type HostQuestionArgs, hostQuestionArgs, toHostQuestion } from './host.ts';
import { inputError } from './input-error.ts';

const defaultCounts = 100;
const maxCounts = 1_000;

/** Of all values together, or of those of one group. */
type Stats = Distribution & { groups: readonly Stats[] };

export function defineFactCounts(builder: Builder): void {
  const factCount = builder.objectRef<FactCount>('FactCount');
  factCount.implement({
    description: 'How many hosts have a value.',
    fields: (t) => ({
      value: t.field({
        type: 'JSON',
        nullable: true,
        description: 'Null: these hosts told none.',
        resolve: ({ value }) => value,
      }),
      hosts: t.exposeInt('hosts', {
        description: 'A host counts once for each value that it has in a list.',
      }),
      groups: t.field({
        type: [factCount],
        complexity: costs.groups,
        description: 'These hosts by the value of the second fact; empty when none was asked for.',
        resolve: ({ groups }) => groups,
      }),
    }),
  });
  builder.queryField('factCounts', (t) =>
    t.field({
      type: [factCount],
      authScopes: { read: true },
      complexity: ({ first }) => costs.allHosts(Math.min(first ?? defaultCounts, maxCounts)),
      description: 'Hosts by the value of a fact, the most frequent first.',
      args: {
        ...pathArgs(t),
        first: t.arg.int({
          description: `How many values, at most ${maxCounts}; ${defaultCounts} if not told.`,
        }),
      },
      async resolve(_root, args, context) {
        const limit = args.first ?? defaultCounts;
        if (limit < 0 || limit > maxCounts) {
          throw inputError(['first'], `must be from 0 to ${maxCounts}, but is ${limit}`);
        }
        const { of, by } = await pathsOf(args, context);
        const question = await toHostQuestion(args, context);
        return context.index.factCounts({ ...question, of, by, limit });
      },
    }),
  );
}

export function defineFactStats(builder: Builder): void {
  const factStats = builder.objectRef<Stats>('FactStats');
  const number = (description: string, compute: (values: Distribution['values']) => number | null) => ({
    nullable: true as const,
    description,
    resolve: ({ values }: Stats) => compute(values),
  });
  factStats.implement({
    description: 'What the numbers that hosts tell of a fact come to.',
    fields: (t) => ({
      group: t.field({
        type: 'JSON',
        nullable: true,
        description: 'The value of the second fact; null for hosts without it, and of all together.',
        resolve: ({ group }) => group,
      }),
      count: t.int({ description: 'How many values there are.', resolve: ({ values }) => countOf(values) }),
      min: t.float(number('The smallest; null when there is none.', (values) => values[0]?.value ?? null)),
      max: t.float(number('The largest; null when there is none.', (values) => values.at(-1)?.value ?? null)),
      sum: t.float(number('All of them together; null when there is none.', sumOf)),
      mean: t.float(
        number('The sum by the count; null when there is none.', (values) => {
          const sum = sumOf(values);
          return sum === null ? null : sum / countOf(values);
        }),
      ),
      percentile: t.float({
        nullable: true,
        description:
          'The smallest value that so many percent of all are not above (nearest rank): 50 is the median.',
        args: { of: t.arg.float({ required: true, description: 'From 0 to 100.' }) },
        resolve({ values }, args) {
          if (!(args.of >= 0 && args.of <= 100)) {
            throw inputError(['of'], `must be from 0 to 100, but is ${args.of}`);
          }
          return percentileOf(values, args.of);
        },
      }),
      groups: t.field({
        type: [factStats],
        complexity: costs.groups,
        description:
          'The same for each value of the second fact, the most frequent first; empty when none was asked for.',
        resolve: ({ groups }) => [...groups],
      }),
    }),
  });
  builder.queryField('factStats', (t) =>
    t.field({
      type: factStats,
      authScopes: { read: true },
      complexity: costs.allHosts(1),
      description: 'Smallest, largest, mean, sum and percentiles of a fact that is a number.',
      args: pathArgs(t),
      async resolve(_root, args, context) {
        const { of, by } = await pathsOf(args, context);
        if (of.compare && (columnOf(of.compare) === 'text' || notNumbers.has(of.compare))) {
          throw inputError(
            ['path'],
            `${of.path} is no number (its kind compares as ${of.compare}): use factCounts`,
          );
        }
        const question = { ...(await toHostQuestion(args, context)), of };
        const [all] = await context.index.factDistributions({ ...question, by: null });
        const groups = by ? await context.index.factDistributions({ ...question, by }) : [];
        return {
          group: null,
          values: all?.values ?? [],
          groups: groups.map((group) => ({ ...group, groups: [] })),
        };
      },
    }),
  );
}

/** Kept as numbers, but of no use as such. */
const notNumbers: ReadonlySet<string> = new Set(['boolean', 'instant']);

function pathArgs(t: ArgBuilder) {
  return {
    path: t.arg({
      type: 'String',
      required: true,
      description: 'The fact as `plugin.field`, through lists without a position: network.interfaces.mac.',
    }),
    by: t.arg({ type: 'String', description: 'A second fact, to tell the hosts of each value apart.' }),
    ...hostQuestionArgs(t),
  };
}

type PathArgs = HostQuestionArgs & { path: string; by?: string | null };

async function pathsOf({ path, by }: PathArgs, context: ApiContext) {
  return {
    of: await findFactPath(path, ['path'], context),
    by: typeof by === 'string' ? await findFactPath(by, ['by'], context) : null,
  };
}

function countOf(values: Distribution['values']): number {
  return values.reduce((sum, { count }) => sum + count, 0);
}

function sumOf(values: Distribution['values']): number | null {
  return values.length === 0 ? null : values.reduce((sum, { value, count }) => sum + value * count, 0);
}

function percentileOf(values: Distribution['values'], percent: number): number | null {
  const rank = Math.max(1, Math.ceil((percent / 100) * countOf(values)));
  let seen = 0;
  for (const { value, count } of values) {
    seen += count;
    if (seen >= rank) return value;
  }
  return null;
}
