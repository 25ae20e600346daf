/**
 * redact: takes out of results what the config says must not leave this host.
 *
 * What is taken out is null, as what is unknown is. Only facts and readings: the name of the host, its labels, and what a
 * plugin says of its failure are told as they are.
 */
import { didYouMean } from '../plugins/did-you-mean.ts';
import { type Fact, type Facts, isScalar } from '../plugins/fact.ts';
import type { PluginDeclaration } from '../plugins/plugin.ts';
import type { PluginResult } from './report.ts';

export type Redact = (results: PluginResult[]) => PluginResult[];

type Values = Record<string, unknown>;

/** @param paths as the config has them */
export function createRedact(paths: readonly string[]): Redact {
  const byPlugin = new Map<string, string[][]>();
  for (const path of paths) {
    const [plugin = '', ...names] = path.split('.');
    byPlugin.set(plugin, [...(byPlugin.get(plugin) ?? []), names.length > 0 ? names : ['*']]);
  }
  /** What is reported again, such as thousands of packages, is one object, and stays one. */
  const done = new WeakMap<object, Values>();

  function clean(values: Values | null, within: readonly string[][]): Values | null {
    if (values === null) return null;
    let cleaned = done.get(values);
    if (!cleaned) {
      cleaned = within.reduce((rest, names) => without(rest, names) as Values, values);
      done.set(values, cleaned);
      // Reports are cleaned as they are made, and again as they are sent.
      done.set(cleaned, cleaned);
    }
    return cleaned;
  }

  return (results) =>
    results.map((result) => {
      const within = byPlugin.get(result.plugin);
      if (!within) return result;
      return { ...result, facts: clean(result.facts, within), readings: clean(result.readings, within) };
    });
}

/** A copy without what the names lead to, through lists. */
function without(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((element) => without(element, names));
  if (typeof value !== 'object' || value === null) return value;
  const [name, ...rest] = names;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key !== name && name !== '*') return [key, inner];
      return [key, rest.length === 0 ? null : without(inner, rest)];
    }),
  );
}

/** Of paths that lead nowhere: typing errors would let something leave the host. */
export function redactWarnings(paths: readonly string[], plugins: readonly PluginDeclaration[]): string[] {
  return paths.flatMap((path) => {
    const [name = '', ...names] = path.split('.');
    const plugin = plugins.find((known) => known.name === name);
    const known = plugins.map((known) => known.name);
    const problem = plugin ? strayIn(plugin, names) : stray('plugin', name, known);
    return problem === null ? [] : [`${path} takes nothing out: ${problem}`];
  });
}

function strayIn({ facts, readings }: PluginDeclaration, names: readonly string[]): string | null {
  // A command without a declaration tells whatever it prints.
  if (Object.keys(facts).length === 0) return null;
  let within: Facts = { ...facts, ...readings };
  for (const [i, name] of names.entries()) {
    if (name === '*') return null;
    const fact: Fact | undefined = Object.hasOwn(within, name) ? within[name] : undefined;
    if (!fact) return stray('fact or reading', name, Object.keys(within));
    const isLast = i === names.length - 1;
    if (isLast) return null;
    if (fact.kind !== 'list' || isScalar(fact.of))
      return `${names.slice(0, i + 1).join('.')} has nothing in it`;
    within = fact.of;
  }
  return null;
}

function stray(what: string, name: string, known: readonly string[]): string {
  return `no ${what} ${JSON.stringify(name)} is there, ${didYouMean(name, known) ?? `there are ${known.join(', ')}`}`;
}
