/**
 * queries: how long the index takes for each kind of question, and how that grows with the number of reports.
 *
 * `npm run bench -- queries --reports 100000,1000000 --hosts 10000`. One index grows from size to size; at each, every
 * question is asked many times with other hosts, addresses and instants, drawn the same for the same seed.
 */
import type { FactsFilter, HostFilter, ReportFilter } from '../api/index/filter.ts';
import type { IndexStore, ReportOrderField } from '../api/index/index-store.ts';
import { toFactConditions } from '../api/schema/plugin-filter.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import type { AnyPlugin } from '../plugins/plugin.ts';
import { seededRandom } from '../test/support/noise.ts';
import { aim, number, printLine, printLines, readFlags, runBenchmark } from './benchmark.ts';
import { addressOf, commonDistribution, fleetStart, makeFleet, rareDistribution } from './fleet.ts';
import { segmentsOf } from './fleet-segments.ts';
import { median, quantile } from './median.ts';
import { openBenchIndex } from './open-index.ts';
import { type Dialect, dialectsFor, memoryOf } from './servers.ts';

const defaults = {
  reports: [20_000, 100_000] as readonly number[],
  hosts: 2_000,
  draws: 200,
  /** For each question; fewer draws then. */
  seconds: 3,
  postgres: false,
};

const mostP50Ms = 5;
const reportsPerSegment = 1_000;
const intervalSeconds = 3600;
const pageSize = 20;

type Ask = (index: IndexStore, draw: Draw) => Promise<unknown>;
/** Counts have no bound: they look at all there is. */
type Question = { name: string; ask: Ask; isBounded?: boolean };
/** Of what is there. */
type Draw = { hostNumber(): number; hostId(): string; instant(): number };

export async function main(args: string[] = []): Promise<void> {
  const flags = readFlags(args, defaults);
  const questions = makeQuestions(await loadBuiltinPlugins());
  for (const dialect of dialectsFor(flags.postgres)) await benchDialect(dialect, flags, questions);
}

async function benchDialect(
  dialect: Dialect,
  { reports: sizes, hosts, draws, seconds }: Omit<typeof defaults, 'postgres'>,
  questions: readonly Question[],
): Promise<void> {
  const { store, bytes } = await openBenchIndex(dialect);
  const fleet = makeFleet({ hosts, intervalSeconds });
  const hostIds: string[] = [];
  const smallest = new Map<string, number>();
  let held = 0;
  for (const size of sizes.toSorted((a, b) => a - b)) {
    const startedAt = performance.now();
    for (const segment of segmentsOf(fleet.next(size - held), reportsPerSegment)) {
      await store.apply([segment]);
      for (const { host } of segment.reports) if (hostIds.length < hosts) hostIds.push(host.id);
    }
    held = size;
    const minutes = number((performance.now() - startedAt) / 60_000);
    const to = fleetStart + (size / hosts) * intervalSeconds * 1000;
    const what = `${number(size)} reports of ${number(hosts)} hosts in ${dialect}`;
    const filled = `${number((await bytes()) / 2 ** 20)} MiB, filled in ${minutes} minutes`;
    printLines(`queries: ${what} (${filled}); p50, p99, most`, []);
    for (const { name, ask, isBounded = true } of questions) {
      const draw = drawFrom(hostIds, fleetStart, to);
      const times = await timesOf(() => ask(store, draw), draws, seconds);
      const [p50, p99, most] = [median(times), quantile(times, 0.99), quantile(times, 1)];
      const base = smallest.get(name);
      if (base === undefined) smallest.set(name, p50);
      const beside = [
        ...(isBounded ? [aim(p50, mostP50Ms, 'ms')] : []),
        ...(base === undefined ? [] : [`${number(p50 / base)} × the smallest size's`]),
      ];
      printLine({
        name,
        figure: `${number(p50)}  ${number(p99)}  ${number(most)} ms`,
        beside: beside.join(', '),
      });
    }
    const memory = await memoryOf(process.pid);
    if (memory) {
      printLine({ name: 'memory of this process, generator included', figure: `${number(memory.now)} MiB` });
    }
  }
  await store.close();
}

/** Milliseconds that each asking took, after a few that are not counted. */
async function timesOf(ask: () => Promise<unknown>, draws: number, seconds: number): Promise<number[]> {
  for (let warmUp = 0; warmUp < 3; warmUp += 1) await ask();
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  while (times.length < draws && (performance.now() < until || times.length < 3)) {
    const startedAt = performance.now();
    await ask();
    times.push(performance.now() - startedAt);
  }
  return times;
}

function drawFrom(hostIds: readonly string[], from: number, to: number): Draw {
  const random = seededRandom(1);
  const hostNumber = () => Math.floor(random() * hostIds.length);
  return {
    hostNumber,
    hostId: () => hostIds[hostNumber()] ?? '',
    instant: () => Math.floor(from + random() * (to - from)),
  };
}

function makeQuestions(plugins: readonly AnyPlugin[]): Question[] {
  /** As a client writes them: `{ os: { distribution: { eq: … } } }`. */
  const facts = (input: Record<string, Record<string, unknown>>): FactsFilter => ({
    kind: 'and',
    filters: Object.entries(input).map(([name, given]) => {
      const plugin = plugins.find((one) => one.name === name);
      if (!plugin) throw new Error(`there is no plugin ${name}`);
      return { kind: 'facts', plugin: name, conditions: toFactConditions(plugin, given, []) };
    }),
  });
  const common = facts({ os: { distribution: { eq: commonDistribution } } });
  const rare = facts({ os: { distribution: { eq: rareDistribution } } });
  const amd = facts({ cpu: { vendor: { eq: 'AuthenticAMD' } } });

  const newest = (
    index: IndexStore,
    filter: ReportFilter | null,
    before?: number,
    field: ReportOrderField = 'COLLECTED_AT',
  ) =>
    index.reports(
      { filter, order: { field, direction: 'DESC' } },
      { limit: pageSize, ...(before === undefined ? {} : { after: { value: before, id: lastId } }) },
    );
  const byName = (index: IndexStore, filter: HostFilter | null) =>
    index.hosts({ filter, asOf: null, order: { field: 'NAME', direction: 'ASC' } }, { limit: pageSize });
  const inAnyInterface = (address: object) =>
    facts({ network: { interfaces: { some: { addresses: { some: { address } } } } } });

  return [
    {
      name: 'newest 20 of a host',
      ask: (index, { hostId }) =>
        newest(index, { kind: 'field', field: 'host', tests: [{ op: 'eq', value: hostId() }] }),
    },
    { name: 'newest 20 of all', ask: (index) => newest(index, null) },
    {
      name: 'newest 20 of all, by the time received',
      ask: (index) => newest(index, null, undefined, 'RECEIVED_AT'),
    },
    { name: 'newest 20 with a common fact', ask: (index) => newest(index, common) },
    { name: 'newest 20 with a rare fact', ask: (index) => newest(index, rare) },
    {
      name: 'newest 20 with two common facts',
      ask: (index) => newest(index, { kind: 'and', filters: [common, amd] }),
    },
    {
      name: 'newest 20 with two facts that no report has together',
      ask: (index) => newest(index, { kind: 'and', filters: [common, rare] }),
    },
    {
      name: 'newest 20 without a common fact',
      ask: (index) => newest(index, { kind: 'not', filter: common }),
    },
    {
      name: 'newest 20 with one primary address',
      ask: (index, { hostNumber }) =>
        newest(index, facts({ network: { primaryAddress: { eq: addressOf(hostNumber()) } } })),
    },
    {
      name: 'newest 20 with one address on any interface',
      ask: (index, { hostNumber }) => newest(index, inAnyInterface({ eq: addressOf(hostNumber()) })),
    },
    {
      name: 'newest 20 in a subnet of 256 addresses',
      ask: (index, { hostNumber }) =>
        newest(index, inAnyInterface({ inSubnet: `${addressOf(hostNumber())}/24` })),
    },
    {
      name: 'newest 20 whose host name contains some digits',
      ask: (index, { hostNumber }) =>
        newest(index, facts({ os: { hostname: { contains: `-${hostNumber()}` } } })),
    },
    { name: 'a page deep in all', ask: (index, { instant }) => newest(index, null, instant()) },
    {
      name: 'a page deep in those with a common fact',
      ask: (index, { instant }) => newest(index, common, instant()),
    },
    {
      name: 'a page deep in those with a rare fact',
      ask: (index, { instant }) => newest(index, rare, instant()),
    },
    { name: 'first 20 hosts', ask: (index) => byName(index, null) },
    { name: 'first 20 hosts with a common fact', ask: (index) => byName(index, common) },
    { name: 'first 20 hosts with a rare fact', ask: (index) => byName(index, rare) },
    {
      name: 'latest facts of 20 hosts',
      ask: (index, { hostId }) => index.latestResults(Array.from({ length: pageSize }, hostId), null),
    },
    { name: 'count of all reports', ask: (index) => index.countReports(null), isBounded: false },
    {
      name: 'count of the reports with a common fact',
      ask: (index) => index.countReports(common),
      isBounded: false,
    },
    {
      name: 'count of the hosts with a common fact',
      ask: (index) => index.countHosts({ filter: common, asOf: null }),
      isBounded: false,
    },
  ];
}

/** Behind every report of the same instant. */
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

if (import.meta.main) await runBenchmark(main);
