/** fact-filter: `fact: { path, … }`, which compares any fact by its path, of whatever plugin. */
import type { Comparison } from '../../plugins/fact.ts';
import type { Builder } from '../builder.ts';
import type { ApiContext } from '../context.ts';
import { columnOf } from '../index/comparable.ts';
import type { FactCondition, FactsFilter } from '../index/filter.ts';
import { type ComparisonInput, specs, type TestName, testFields, testNames, toTests } from './comparison.ts';
import { findFactPath } from './fact-path.ts';
import { type InputPath, inputError } from './input-error.ts';

export function defineFactFilter(builder: Builder): void {
  builder.inputRef<ComparisonInput>('FactFilter').implement({
    description:
      'A fact by its path, of a plugin that the server knows or does not; in lists, that of some element. All tests hold for one value. What can be tested follows from its kind: that of an unknown plugin is text, a number or a boolean.',
    fields: (t) => ({
      path: t.string({
        required: true,
        description: '`plugin.field`, through lists without a position: network.interfaces.mac.',
      }),
      ...testFields(t, { argument: 'JSON', tests: testNames }),
    }),
  });
}

/** @throws GraphQLError BAD_USER_INPUT with the path of what cannot be used */
export async function toFactFilter(
  { path: factPath, ...given }: ComparisonInput,
  at: InputPath,
  context: Pick<ApiContext, 'plugins' | 'index'>,
): Promise<FactsFilter> {
  const { plugin, path, compare } = await findFactPath(String(factPath), [...at, 'path'], context);
  const conditions = compare
    ? [{ kind: 'anywhere' as const, path, column: columnOf(compare), tests: testsOf(compare, given, at) }]
    : undeclared(path, given, at);
  return { kind: 'facts', plugin, conditions };
}

function testsOf(compare: Comparison, given: ComparisonInput, at: InputPath) {
  const { tests } = specs[compare];
  for (const name of Object.keys(given)) {
    if (name === 'ignoreCase' ? compare === 'text' : tests.includes(name as TestName)) continue;
    throw inputError([...at, name], `is no test of ${article(compare)}: that has ${tests.join(', ')}`);
  }
  return toTests(compare, given, at);
}

function article(compare: Comparison): string {
  return `${/^[aeiou]/.test(compare) ? 'an' : 'a'} ${compare} value`;
}

/** Compared as what the arguments are in JSON. */
function undeclared(path: string, { isNull, ...given }: ComparisonInput, at: InputPath): FactCondition[] {
  const conditions: FactCondition[] = [];
  if (typeof isNull === 'boolean') conditions.push(known(path, !isNull));
  const asked = Object.keys(given).filter((name) => name !== 'ignoreCase');
  if (asked.length === 0) {
    if (conditions.length === 0) conditions.push(known(path, true));
    return conditions;
  }
  const argumentsOf = (name: string) => [given[name]].flat();
  const wrong = asked.find((name) =>
    argumentsOf(name).some((one) => one !== null && typeof one === 'object'),
  );
  if (wrong) throw inputError([...at, wrong], 'must be a text, a number or a boolean');
  const sample = asked.flatMap(argumentsOf).find((one) => one !== null);
  if (typeof sample === 'boolean') {
    const asNumbers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, toNumber(value)]),
    );
    conditions.push({ kind: 'anywhere', path, column: 'number', tests: testsOf('number', asNumbers, at) });
  } else {
    const compare = typeof sample === 'number' ? 'number' : 'text';
    conditions.push({
      kind: 'anywhere',
      path,
      column: columnOf(compare),
      tests: testsOf(compare, given, at),
    });
  }
  return conditions;
}

/** In the index a boolean of an unknown plugin is 1 or 0. */
function toNumber(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toNumber);
  return typeof value === 'boolean' ? Number(value) : value;
}

function known(path: string, isKnown: boolean): FactCondition {
  const told: FactCondition = { kind: 'told', path };
  return isKnown ? told : { kind: 'not', condition: told };
}
