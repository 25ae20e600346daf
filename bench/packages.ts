/**
 * packages: what a list of thousands of records in each host's facts takes in the index, and how fast it is asked.
 *
 * `npm run bench -- packages`. Beside it, in the same run: the same facts with every list stored whole.
 */

import { toComparable } from '../api/index/comparable.ts';
import type { FactCondition, HostFilter } from '../api/index/filter.ts';
import type { IndexStore } from '../api/index/index-store.ts';
import { segmentKey } from '../api/log/segment-key.ts';
import type { StoredReport } from '../api/log/stored-report.ts';
import { number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { median } from './median.ts';
import { openBenchIndex } from './open-index.ts';
import { makePackageFleet, type PackageFleet } from './package-fleet.ts';
import { type Dialect, dialectsFor } from './servers.ts';

const defaults = {
  packages: 3_000,
  /** That are asked about, each with packages of its own. */
  hosts: 1_000,
  releases: 5,
  /** Of `fleet` hosts, whose packages are updated each week. */
  weeks: 20,
  fleet: 25,
  postgres: false,
};
type Flags = Omit<typeof defaults, 'postgres'>;

/** Reports of each kind, of which the figure is the mean. */
const samples = 20;

export async function main(args: string[] = []): Promise<void> {
  const { postgres, ...flags } = readFlags(args, defaults);
  for (const dialect of dialectsFor(postgres)) {
    const whole = await measureKinds(dialect, flags, Number.POSITIVE_INFINITY);
    const shared = await measureKinds(dialect, flags);
    printLines(`packages: ${dialect}, a report with ${number(flags.packages)} packages`, []);
    for (const [name, { ms, bytes }] of shared) {
      const other = whole.get(name);
      printLine({
        name,
        figure: `${number(bytes / 1_000)} kB, ${number(ms)} ms`,
        beside: other ? `stored whole: ${number(other.bytes / 1_000)} kB, ${number(other.ms)} ms` : '',
      });
    }
    await measureWeeks(dialect, flags);
    await measureQuestions(dialect, flags);
  }
}

type Figure = { ms: number; bytes: number };

async function measureKinds(
  dialect: Dialect,
  { packages }: Flags,
  longListLength?: number,
): Promise<Map<string, Figure>> {
  const { store, bytes } = await openBenchIndex(dialect, longListLength);
  const fleet = makePackageFleet(packages);
  const figures = new Map<string, Figure>();
  const measure = async (name: string, reports: StoredReport[]) => {
    const before = await bytes();
    const ms: number[] = [];
    for (const report of reports) ms.push(await apply(store, [report]));
    figures.set(name, { ms: median(ms), bytes: ((await bytes()) - before) / reports.length });
  };
  const hosts = Array.from({ length: samples }, (_, host) => host);
  const host = samples;
  const asFirst = (release: number) => fleet.report(1_000 + release, fleet.packages(release, 0));
  // One before all, for what is made and learnt only once.
  await apply(store, [asFirst(99)]);
  await measure('the first host of a release', [0, 1, 2].map(asFirst));
  await measure(
    'another host of it with the same packages',
    hosts.map((other) => fleet.report(2_000 + other, fleet.packages(0, 0))),
  );
  await measure(
    'another host of it, of whose packages it lacks one in twenty',
    hosts.map((other) => fleet.report(other, fleet.packagesOf(other, 0, 0))),
  );
  await apply(store, [fleet.report(host, fleet.packagesOf(host, 0, 0))]);
  await measure(
    'nothing changed',
    hosts.map(() => fleet.report(host, fleet.packagesOf(host, 0, 0))),
  );
  await measure(
    'one package changed',
    hosts.map((change) => fleet.report(host, fleet.withOneChanged(host, 0, change))),
  );
  await measure(
    'an update of twenty packages, the first host that has it',
    hosts.map((week) => fleet.report(host, fleet.packagesOf(host, 0, week + 1))),
  );
  await store.close();
  return figures;
}

/** @returns milliseconds */
async function apply(store: IndexStore, reports: StoredReport[]): Promise<number> {
  const startedAt = performance.now();
  await store.apply([{ key: segmentKey(reports), reports }]);
  return performance.now() - startedAt;
}

function* everyHost(fleet: PackageFleet, count: number, releases: number, week: number) {
  for (let host = 0; host < count; host += 1)
    yield fleet.report(host, fleet.packagesOf(host, host % releases, week));
}

async function measureWeeks(dialect: Dialect, { packages, releases, weeks, fleet: hosts }: Flags) {
  const { store, bytes } = await openBenchIndex(dialect);
  const fleet = makePackageFleet(packages);
  const empty = await bytes();
  let afterFirst = empty;
  const startedAt = performance.now();
  for (let week = 0; week <= weeks; week += 1) {
    for (const report of everyHost(fleet, hosts, releases, week)) await apply(store, [report]);
    if (week === 0) afterFirst = await bytes();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = await bytes();
  await store.close();
  const what = `${number(hosts)} hosts of ${number(releases)} releases, updated for ${number(weeks)} weeks`;
  printLines(`packages: ${dialect}, ${what}`, []);
  printLine({ name: 'a host at first', figure: `${number((afterFirst - empty) / hosts / 1_000)} kB` });
  printLine({
    name: 'a host and week',
    figure: `${number((after - afterFirst) / hosts / weeks / 1_000)} kB`,
  });
  printLine({ name: 'a report', figure: `${number((seconds * 1_000) / hosts / (weeks + 1))} ms` });
}

async function measureQuestions(dialect: Dialect, { packages, releases, hosts }: Flags): Promise<void> {
  const { store, bytes } = await openBenchIndex(dialect);
  const fleet = makePackageFleet(packages);
  for (const report of everyHost(fleet, hosts, releases, 0)) await apply(store, [report]);
  const what = `${number(hosts)} hosts, ${number((await bytes()) / 1e6)} MB`;
  printLines(`packages: ${dialect}, questions about ${what}, p50`, []);
  const [some] = (fleet.packages(0, 0) as { packages: { name: string; version: string }[] }).packages;
  if (!some) throw new Error('a release has packages');
  const page = { filter: null, order: { field: 'NAME', direction: 'ASC' }, asOf: null } as const;
  const list = (filter: HostFilter) => store.hosts({ ...page, filter }, { limit: 20 });
  const name = value('name', 'eq', some.name);
  const older = (than: string) => value('version', 'lt', String(toComparable('version', than)));
  const compare = 'text' as const;
  const questions: [string, () => Promise<unknown>][] = [
    ['20 hosts with a package older than all', () => list(withPackage([name, older('0')]))],
    ['20 hosts with a package older than most have', () => list(withPackage([name, older('9.99')]))],
    ['how many have it', () => store.countHosts({ filter: withPackage([name, older('9.99')]), asOf: null })],
    ['20 hosts with a package that nobody has', () => list(withPackage([value('name', 'eq', 'nobody')]))],
    [
      '20 hosts with a package named so somewhere',
      () => list(withPackage([value('name', 'contains', 'zz9')])),
    ],
    ...(['name', 'manager'] as const).map((fact): [string, () => Promise<unknown>] => [
      `hosts by packages.packages.${fact}, the first 20`,
      () =>
        store.factCounts({
          of: { plugin: 'packages', path: `packages.packages.${fact}`, compare },
          ...{ by: null, filter: null, asOf: null, limit: 20 },
        }),
    ]),
  ];
  for (const [question, ask] of questions) {
    const ms: number[] = [];
    await ask();
    for (let time = 0; time < 5; time += 1) {
      const startedAt = performance.now();
      await ask();
      ms.push(performance.now() - startedAt);
    }
    printLine({ name: question, figure: `${number(median(ms))} ms` });
  }
  await store.close();
}

function value(fact: string, op: 'eq' | 'lt' | 'contains', than: string): FactCondition {
  return { kind: 'value', path: `packages.packages.${fact}`, column: 'text', tests: [{ op, value: than }] };
}

function withPackage(conditions: FactCondition[]): HostFilter {
  const some: FactCondition = { kind: 'some', path: 'packages.packages', conditions };
  return { kind: 'facts', plugin: 'packages', conditions: [some] };
}

if (import.meta.main) await runBenchmark(main);
