/** query-model-answers: aggregates, orders and moments are what an independent, naive model makes of them, on both dialects. */
import { test } from 'vitest';
import { countablePaths, hostFilter, randomInstant, reportFilter } from './support/query-model-cases.ts';
import {
  factCounts,
  factStats,
  factStatsBy,
  identityAt,
  inOrder,
  percents,
  reportCounts,
  type Stats,
} from './support/query-model-counts.ts';
import { type Filter, hostPasses, reportPasses } from './support/query-model-filter.ts';
import type { Picker } from './support/query-model-history.ts';
import { type Case, describeModelled, hosts, world } from './support/query-model-suite.ts';
import { hostsThen } from './support/query-model-world.ts';
import { hostId } from './support/reports.ts';

const numberPaths = [
  ...['device.slots', 'device.load', 'device.disk', 'device.weights', 'device.uptime', 'device.ports.speed'],
  ...['rack.height', 'rack.shelves.unit', 'rack.row', 'host.intervalSeconds'],
];
const orderedPaths = [
  ...['device.label', 'device.slots', 'device.active', 'device.bootedAt', 'device.release', 'device.address'],
  ...['device.hardware', 'device.disk', 'host.labels.rack'],
];

describeModelled((check) => {
  test('hosts by the value of a fact, and of a second one', async () => {
    await check(200, (picker) => {
      const path = picker.pick(countablePaths);
      const by = picker.chance(0.4) ? picker.pick(countablePaths) : null;
      const { given, found, variables } = someHosts(picker);
      return {
        given: { path, by, ...given },
        question: {
          field: `factCounts(path: $path, by: $by, filter: $filter, asOf: $asOf, first: 1000) {
            value hosts groups { value hosts } }`,
          variables: { ...variables, ...pathVariables(path, by) },
        },
        read: (counts: Told[]) => ({
          largestFirst: counts.every(({ hosts: own }, at) => own <= (counts[at - 1]?.hosts ?? own)),
          counts: byValue(counts.map((count) => plain(count, path, by))),
        }),
        expected: { largestFirst: true, counts: byValue(factCounts(found, path, by).map(sortedGroups)) },
      };
    });
  });

  test('what numbers come to', async () => {
    await check(150, (picker) => {
      const path = picker.pick(numberPaths);
      const by = picker.chance(0.4) ? picker.pick(countablePaths) : null;
      const { given, found, variables } = someHosts(picker);
      const all = factStats(found, path);
      return {
        given: { path, by, ...given },
        question: {
          field: `factStats(path: $path, by: $by, filter: $filter, asOf: $asOf) {
            ${figures} groups { group ${figures} } }`,
          variables: { ...variables, ...pathVariables(path, by) },
        },
        read: ({ groups, ...figures }: ToldStats & { groups: ToldStats[] }) => [
          rounded(toStats({ ...figures, group: null }, by)),
          byGroup(groups.map((group) => rounded(toStats(group, by)))),
        ],
        expected: [rounded(all), byGroup(by ? factStatsBy(found, path, by).map(rounded) : [])],
      };
    });
  });

  test('reports by the hour and the day', async () => {
    const ids = world.reports.map(({ id }) => id);
    await check(100, (picker) => {
      const filter = reportFilter(picker, hosts, ids);
      const by = picker.pick(['HOUR', 'DAY'] as const);
      return {
        given: { filter, by },
        question: {
          field: 'reportCounts(by: $by, filter: $filter) { at reports }',
          variables: {
            by: { type: 'ReportCountUnit!', value: by },
            filter: { type: 'ReportFilter', value: filter },
          },
        },
        expected: reportCounts(
          world.reports.filter((report) => reportPasses(world, report, filter)),
          by,
        ),
      };
    });
  });

  test('hosts in the order of a fact, a name or a time', async () => {
    await check(150, (picker) => {
      const { given, found, variables } = someHosts(picker);
      const direction = picker.pick(['ASC', 'DESC'] as const);
      const order = picker.chance(0.6)
        ? { fact: picker.pick(orderedPaths), direction }
        : { field: picker.pick(['NAME', 'FIRST_SEEN_AT', 'LAST_SEEN_AT']), direction };
      return {
        given: { order, ...given },
        question: {
          field: 'hosts(filter: $filter, asOf: $asOf, orderBy: $order, first: 100) { nodes { id } }',
          variables: { ...variables, order: { type: 'HostOrder', value: order } },
        },
        read: idsOf,
        expected: inOrder(found, order).map(({ id }) => id),
      };
    });
  });

  test('the report that a host had sent last by a moment', async () => {
    await check(150, (picker) => {
      const id = hostId(picker.below(hosts));
      const time = randomInstant(picker);
      const told = (world.hosts.get(id) ?? []).filter(({ at }) => at <= Date.parse(time));
      return {
        given: { id, time },
        question: {
          field: 'host(id: $id) { reportAt(time: $time) { id results { plugin status } } }',
          variables: { id: { type: 'UUID!', value: id }, time: { type: 'DateTime!', value: time } },
        },
        expected: { reportAt: toldReport(told.at(-1)) },
      };
    });
  });
});

type Told = { value: unknown; hosts: number; groups: Told[] };
type Plain = { value: string | null; hosts: number; groups: Plain[] };
type ToldStats = Omit<Stats, 'group' | 'percentiles'> & { group: unknown } & Record<string, unknown>;

const figures = `count min max sum mean ${percents.map((of) => `p${of}: percentile(of: ${of})`).join(' ')}`;

function someHosts(picker: Picker) {
  const filter: Filter | null = picker.chance(0.5) ? hostFilter(picker, hosts) : null;
  const asOf = picker.chance(0.4) ? randomInstant(picker) : null;
  const all = hostsThen(world, asOf === null ? null : Date.parse(asOf));
  return {
    given: { filter, asOf },
    found: filter ? all.filter((host) => hostPasses(world, host, filter)) : all,
    variables: {
      filter: { type: 'HostFilter', value: filter },
      asOf: { type: 'DateTime', value: asOf },
    } satisfies Case<unknown>['question']['variables'],
  };
}

function pathVariables(path: string, by: string | null) {
  return { path: { type: 'String!', value: path }, by: { type: 'String', value: by } };
}

/** By what values compare as, since equal ones may be written in several ways. */
function plain({ value, hosts: own, groups }: Told, path: string, by: string | null): Plain {
  return {
    value: value === null ? null : identityAt(path, value),
    hosts: own,
    groups: byValue((groups ?? []).map((group) => plain(group, by ?? '', null))),
  };
}

function sortedGroups({ groups, ...count }: Plain): Plain {
  return { ...count, groups: byValue(groups) };
}

function byValue(counts: readonly Plain[]): Plain[] {
  return counts.toSorted((a, b) => (String(a.value) < String(b.value) ? -1 : 1));
}

function byGroup(stats: readonly Stats[]): Stats[] {
  return stats.toSorted((a, b) => (String(a.group) < String(b.group) ? -1 : 1));
}

function toStats({ group, count, min, max, sum, mean, ...more }: ToldStats, by: string | null): Stats {
  return {
    group: group === null ? null : identityAt(by ?? '', group),
    ...{ count, min, max, sum, mean },
    percentiles: percents.map((of) => more[`p${of}`] as number | null),
  };
}

/** Sums of the same numbers in another order differ in their last digits. */
function rounded(stats: Stats): Stats {
  const round = (value: number | null) => (value === null ? null : Number(value.toPrecision(12)));
  return { ...stats, sum: round(stats.sum), mean: round(stats.mean) };
}

function idsOf({ nodes }: { nodes: { id: string }[] }): string[] {
  return nodes.map(({ id }) => id);
}

function toldReport(report: (typeof world.reports)[number] | undefined) {
  if (!report) return null;
  return { id: report.id, results: report.results.map(({ plugin, status }) => ({ plugin, status })) };
}
