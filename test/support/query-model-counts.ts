/**
 * query-model-counts: hosts by the value of a fact, what numbers come to, reports by the hour, and hosts in an order.
 *
 * Part of the model of what queries answer: shares no code with the API.
 */
import { compareAt, placeOf, valuesAt } from './query-model-facts.ts';
import { type Compare, identity, order, orderText } from './query-model-values.ts';
import type { HostThen, Told } from './query-model-world.ts';

/** A value by what it compares as; null stands for hosts without any. */
export type Count = { value: string | null; hosts: number; groups: Count[] };

export function factCounts(hosts: readonly HostThen[], path: string, by: string | null): Count[] {
  return groupHosts(hosts, path).map(({ value, own }) => ({
    value,
    hosts: own.length,
    groups: by ? factCounts(own, by, null) : [],
  }));
}

export type Stats = {
  group: string | null;
  count: number;
  min: number | null;
  max: number | null;
  sum: number | null;
  mean: number | null;
  percentiles: (number | null)[];
};

export const percents = [0, 10, 50, 90, 100];

export function factStats(hosts: readonly HostThen[], path: string, group: string | null = null): Stats {
  const numbers = hosts.flatMap((host) => numbersOf(host, path)).toSorted((a, b) => a - b);
  const sum = numbers.length === 0 ? null : numbers.reduce((total, number) => total + number, 0);
  return {
    group,
    count: numbers.length,
    min: numbers[0] ?? null,
    max: numbers.at(-1) ?? null,
    sum,
    mean: sum === null ? null : sum / numbers.length,
    // The smallest value that so many percent of all are not above.
    percentiles: percents.map(
      (percent) =>
        numbers.find(
          (number) => numbers.filter((other) => other <= number).length * 100 >= percent * numbers.length,
        ) ?? null,
    ),
  };
}

/** The same for each value of a second fact; those without any number are none. */
export function factStatsBy(hosts: readonly HostThen[], path: string, by: string): Stats[] {
  return groupHosts(hosts, by)
    .map(({ value, own }) => factStats(own, path, value))
    .filter(({ count }) => count > 0);
}

function numbersOf(host: HostThen, path: string): number[] {
  return hostValues(host, path).filter((value) => typeof value === 'number');
}

/** Each host once for each value that it has; those without any together. */
function groupHosts(hosts: readonly HostThen[], path: string) {
  const groups = new Map<string | null, HostThen[]>();
  for (const host of hosts) {
    const values = new Set(hostValues(host, path).map((value) => identityAt(path, value)));
    for (const value of values.size === 0 ? [null] : values) {
      groups.set(value, [...(groups.get(value) ?? []), host]);
    }
  }
  return [...groups].map(([value, own]) => ({ value, own }));
}

/** What stands for a value where equal ones are counted together. */
export function identityAt(path: string, value: unknown): string {
  const compare = compareAt(path);
  return compare ? identity(compare, value) : JSON.stringify(value);
}

export function hostValues(host: HostThen, path: string): unknown[] {
  const { plugin } = placeOf(path);
  const sent = plugin === 'host' ? host.own : (host.plugins.get(plugin)?.facts ?? null);
  return sent === null ? [] : valuesAt(path, sent);
}

export function reportCounts(
  reports: readonly Told[],
  unit: 'HOUR' | 'DAY',
): { at: string; reports: number }[] {
  const begins = ({ collectedAt }: Told) =>
    new Date(collectedAt).toISOString().replace(unit === 'HOUR' ? /:\d\d:.*/ : /T.*/, '') +
    (unit === 'HOUR' ? ':00:00.000Z' : 'T00:00:00.000Z');
  return [...Map.groupBy(reports, begins)]
    .map(([at, own]) => ({ at, reports: own.length }))
    .toSorted((a, b) => orderText(a.at, b.at));
}

export type HostOrder = { field?: string; fact?: string; direction: 'ASC' | 'DESC' };

/** By the value, then the id, both in the direction; those without a value come last. */
export function inOrder(hosts: readonly HostThen[], { field, fact, direction }: HostOrder): HostThen[] {
  const sign = direction === 'ASC' ? 1 : -1;
  const compare: Compare = fact ? (compareAt(fact) ?? 'text') : field === 'NAME' ? 'text' : 'number';
  const orderedBy = (host: HostThen): unknown => {
    if (fact) return hostValues(host, fact)[0] ?? null;
    if (field === 'NAME') return host.own.name;
    return field === 'FIRST_SEEN_AT' ? host.firstSeenAt : host.lastSeenAt;
  };
  return hosts.toSorted((a, b) => {
    const [x, y] = [orderedBy(a), orderedBy(b)];
    if ((x === null) !== (y === null)) return x === null ? 1 : -1;
    const byValue = x === null ? 0 : order(compare, x, y);
    return sign * (byValue || orderText(a.id, b.id));
  });
}
