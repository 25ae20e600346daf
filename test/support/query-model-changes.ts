/**
 * query-model-changes: what changed on each host, field by field, from its reports in the order they were told.
 *
 * Part of the model of what queries answer: shares no code with the API.
 */
import type { Fact, Facts, ListFact } from '../../plugins/fact.ts';
import { isRecord, isSingle, type Known } from './query-model-facts.ts';
import { device } from './query-model-plugin.ts';
import { orderText } from './query-model-values.ts';
import type { World } from './query-model-world.ts';

export type Change = {
  host: string;
  report: string;
  at: number;
  plugin: string;
  path: string;
  keys: readonly string[];
  before: unknown;
  after: unknown;
  /** What a host told of a plugin for the first time. */
  initial: boolean;
  /** Its place among what the report changed of the plugin. */
  number: number;
};

type Difference = Pick<Change, 'path' | 'keys' | 'before' | 'after'>;
type Declared = Fact | Facts | null;

const remembered = new WeakMap<World, Map<string, readonly Change[]>>();

/** In the order of time. */
export function changesOf(world: World, host: string): readonly Change[] {
  const known = remembered.get(world) ?? new Map<string, readonly Change[]>();
  remembered.set(world, known);
  const changes = known.get(host) ?? computeChanges(world, host);
  known.set(host, changes);
  return changes;
}

export function allChanges(world: World): Change[] {
  return [...world.hosts.keys()].flatMap((host) => changesOf(world, host));
}

/** As the API lists them. */
export function newestFirst(a: Change, b: Change): number {
  return b.at - a.at || orderText(b.report, a.report) || orderText(rank(b), rank(a)) || b.number - a.number;
}

/** What hosts tell of themselves comes before their plugins. */
function rank({ plugin }: Change): string {
  return plugin === 'host' ? '' : plugin;
}

function computeChanges(world: World, host: string): Change[] {
  const changes: Change[] = [];
  const last = new Map<string, unknown>();
  const everTold = new Set<string>();
  for (const { id: report, at, own, results } of world.hosts.get(host) ?? []) {
    const told = [{ plugin: 'host', status: 'OK', facts: own as unknown }, ...results];
    for (const { plugin, status, facts } of told) {
      if (status !== 'OK') continue;
      const before = last.get(plugin) ?? null;
      last.set(plugin, facts);
      const initial = before === null && !everTold.has(plugin);
      if (facts !== null) everTold.add(plugin);
      const whole = { path: plugin, keys: [], before, after: facts };
      const found =
        before === null || facts === null
          ? before === facts
            ? []
            : [whole]
          : differences(plugin, [], plugin === device.name ? device.facts : null, before, facts);
      changes.push(...found.map((one, number) => ({ host, report, at, plugin, initial, number, ...one })));
    }
  }
  return changes;
}

function differences(
  path: string,
  keys: readonly string[],
  declared: Declared,
  before: unknown,
  after: unknown,
): Difference[] {
  if (isRecord(before) && isRecord(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
      const fact = isFacts(declared) ? (declared[name] ?? null) : null;
      return differences(`${path}.${name}`, keys, fact, before[name] ?? null, after[name] ?? null);
    });
  }
  if (sameJson(before, after)) return [];
  if (!Array.isArray(before) || !Array.isArray(after)) return [{ path, keys, before, after }];
  const list = declared?.kind === 'list' ? (declared as ListFact) : null;
  const [was, is] = [byKey(list, before), byKey(list, after)];
  if (list && was && is) {
    const of = isSingle(list.of) ? null : list.of;
    return [...new Set([...was.keys(), ...is.keys()])].flatMap((key) =>
      differences(path, [...keys, key], of, was.get(key) ?? null, is.get(key) ?? null),
    );
  }
  const gone = without(before, after).map((element) => ({ path, keys, before: element, after: null }));
  const come = without(after, before).map((element) => ({ path, keys, before: null, after: element }));
  const both = [...gone, ...come];
  // Nothing but their order changed.
  return both.length > 0 ? both : [{ path, keys, before, after }];
}

/** Elements by their key, of equal ones the second as `key#2`; null where that cannot be told. */
function byKey(list: ListFact | null, elements: readonly unknown[]): Map<string, unknown> | null {
  const key = list?.key;
  if (typeof key !== 'string') return null;
  const found = new Map<string, unknown>();
  const seen = new Map<string, number>();
  for (const element of elements) {
    const name = isRecord(element) ? element[key] : null;
    if (typeof name !== 'string' || name === '') return null;
    const copy = (seen.get(name) ?? 0) + 1;
    seen.set(name, copy);
    found.set(copy === 1 ? name : `${name}#${copy}`, element);
  }
  return found;
}

/** Those that are in the first more often than in the second. */
function without(elements: readonly unknown[], others: readonly unknown[]): unknown[] {
  const left = [...others];
  return elements.filter((element) => {
    const at = left.findIndex((other) => sameJson(other, element));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function isFacts(declared: Declared): declared is Facts {
  return declared !== null && typeof declared.kind !== 'string';
}

/** Whether two JSON values are the same, whatever the order of their keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, at) => sameJson(element, b[at]));
  }
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const names = (record: Known) => Object.keys(record).toSorted().join('\n');
  return names(a) === names(b) && Object.keys(a).every((name) => sameJson(a[name], b[name]));
}
