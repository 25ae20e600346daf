/**
 * query-model-facts: what of the facts that a host sent is known, and the values at a path.
 *
 * Part of the model of what queries answer: shares no code with the API.
 */
import type { Fact, Facts, ListElement } from '../../plugins/fact.ts';
import { device } from './query-model-plugin.ts';
import { type Compare, compareOf, fits } from './query-model-values.ts';

export type Known = Record<string, unknown>;

/** Of each fact that is declared what fits; otherwise null. */
export function knownFacts(facts: Facts, sent: unknown): Known {
  const given: Known = isRecord(sent) ? sent : {};
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [name, knownFact(fact, given[name] ?? null)]),
  );
}

function knownFact(fact: Fact, value: unknown): unknown {
  if (value === null) return null;
  if (fact.kind !== 'list') return fits(fact.kind, value) ? value : null;
  if (!Array.isArray(value)) return null;
  const { of } = fact;
  if (isSingle(of)) return value.filter((element) => fits(of.kind, element));
  return value.filter(isRecord).map((element) => knownFacts(of, element));
}

export type Place = { plugin: string; steps: readonly string[] };

/** `plugin.field.field` in its parts. */
export function placeOf(path: string): Place {
  const [plugin = '', ...steps] = path.split('.');
  return { plugin, steps };
}

/** How a path's values compare; null where nobody declares them. */
export function compareAt(path: string): Compare | null {
  const { plugin, steps } = placeOf(path);
  if (plugin !== device.name) return null;
  let facts: Facts = device.facts;
  for (const step of steps) {
    const fact = facts[step];
    const of: ListElement | undefined = fact?.kind === 'list' ? fact.of : fact;
    if (!of) break;
    if (isSingle(of)) return compareOf[of.kind] ?? null;
    facts = of;
  }
  throw new Error(`the model knows no ${path}`);
}

/** All single values at a path, through lists. @param facts as sent, not null */
export function valuesAt(path: string, facts: unknown): unknown[] {
  const { plugin, steps } = placeOf(path);
  return gather(plugin === device.name ? knownFacts(device.facts, facts) : facts, steps).filter(
    (value) => value !== null && typeof value !== 'object',
  );
}

/** Whether a plugin that nobody declares told anything at a path, be it an empty list. */
export function isToldAt(path: string, facts: unknown): boolean {
  return valuesAt(path, facts).length > 0 || gather(facts, placeOf(path).steps, true).some(Array.isArray);
}

function gather(value: unknown, steps: readonly string[], lists = false): unknown[] {
  if (Array.isArray(value)) {
    const own = lists && steps.length === 0 ? [value] : [];
    return [...own, ...value.flatMap((element) => gather(element, steps, lists))];
  }
  const [step, ...rest] = steps;
  if (step === undefined) return [value];
  return isRecord(value) ? gather(value[step] ?? null, rest, lists) : [];
}

export function isSingle(of: ListElement): of is Exclude<ListElement, Facts> {
  return typeof of.kind === 'string';
}

export function isRecord(value: unknown): value is Known {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
