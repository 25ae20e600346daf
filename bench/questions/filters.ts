/**
 * filters: one of every kind, each asked for the newest reports and for the first hosts.
 *
 * Written as a client writes them; some pass often, some rarely, some never.
 */
import type { FilterInput } from '../../api/builder.ts';
import type { IndexStore } from '../../api/index/index-store.ts';
import { toHostFilter } from '../../api/schema/host.ts';
import { toReportFilter } from '../../api/schema/report.ts';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { addressOf, commonDistribution, fleetStart, macOf, rackOf, rareDistribution } from '../fleet.ts';
import {
  type Draw,
  factsOf,
  hostsByName,
  latestOf,
  newestReports,
  pageSize,
  type Question,
} from './question.ts';

type Filter = {
  name: string;
  input(draw: Draw): FilterInput;
  /** The same of one report's `facts` of a plugin, in DuckDB. */
  duckdb?: { plugin: string; where(draw: Draw): string };
};

const ofInterface = (some: object) => ({ network: { interfaces: { some } } });
const ofAddress = (address: object) => ofInterface({ addresses: { some: { address } } });
const day = 24 * 60 * 60 * 1000;

const common = { os: { distribution: { eq: commonDistribution } } };
const rare = { os: { distribution: { eq: rareDistribution } } };

const filters: readonly Filter[] = [
  {
    name: 'text eq, of a third of the hosts',
    input: () => common,
    duckdb: { plugin: 'os', where: () => `facts->>'distribution' = '${commonDistribution}'` },
  },
  {
    name: 'text eq, of one host',
    input: () => rare,
    duckdb: { plugin: 'os', where: () => `facts->>'distribution' = '${rareDistribution}'` },
  },
  { name: 'two common facts', input: () => ({ ...common, cpu: { vendor: { eq: 'AuthenticAMD' } } }) },
  { name: 'two facts that are never together', input: () => ({ and: [common, rare] }) },
  { name: 'not a common fact', input: () => ({ not: common }) },
  { name: 'a common fact or a rare one', input: () => ({ or: [common, rare] }) },
  {
    name: 'text in, of three hosts',
    input: ({ hostNumber }) => ({
      os: { hostname: { in: [hostNumber(), hostNumber(), hostNumber()].map((number) => `node-${number}`) } },
    }),
  },
  {
    name: 'text eq, whatever the case',
    input: ({ hostNumber }) => ({
      os: { hostname: { eq: `NODE-${hostNumber()}`, ignoreCase: true } },
    }),
  },
  {
    name: 'text startsWith',
    input: ({ hostNumber }) => ({ os: { fqdn: { startsWith: `node-${hostNumber()}` } } }),
  },
  {
    name: 'text endsWith',
    input: ({ hostNumber }) => ({ os: { hostname: { endsWith: `-${hostNumber()}` } } }),
  },
  {
    name: 'text contains',
    input: ({ hostNumber }) => ({ os: { hostname: { contains: `-${hostNumber()}` } } }),
  },
  { name: 'text contains, of no host', input: () => ({ os: { hostname: { contains: 'in no name' } } }) },
  {
    name: 'host name contains',
    input: ({ hostNumber }) => ({ name: { contains: `-${hostNumber()}` } }),
    duckdb: { plugin: 'os', where: ({ hostNumber }) => `contains(facts->>'hostname', '-${hostNumber()}')` },
  },
  { name: 'number gte, of a quarter of the hosts', input: () => ({ cpu: { cores: { gte: 16 } } }) },
  { name: 'number gt, of no host', input: () => ({ cpu: { cores: { gt: 64 } } }) },
  { name: 'boolean eq, of one host in twenty', input: () => ({ cpu: { hypervisor: { eq: false } } }) },
  {
    name: 'instant lt, of few hosts',
    input: () => ({ os: { bootedAt: { lt: new Date(fleetStart - 39.9 * day).toISOString() } } }),
  },
  { name: 'version lt, of few reports', input: () => ({ os: { kernel: { lt: '6.1.0-21' } } }) },
  { name: 'version gte, of no host', input: () => ({ os: { kernel: { gte: '6.2' } } }) },
  {
    name: 'ip eq',
    input: ({ hostNumber }) => ({ network: { primaryAddress: { eq: addressOf(hostNumber()) } } }),
    duckdb: {
      plugin: 'network',
      where: ({ hostNumber }) => `facts->>'primaryAddress' = '${addressOf(hostNumber())}'`,
    },
  },
  { name: 'ip eq, on any interface', input: ({ hostNumber }) => ofAddress({ eq: addressOf(hostNumber()) }) },
  {
    name: 'ip inSubnet, of 256 addresses',
    input: ({ hostNumber }) => ofAddress({ inSubnet: `${addressOf(hostNumber())}/24` }),
    duckdb: {
      plugin: 'network',
      where: ({ hostNumber }) =>
        `starts_with(facts->>'primaryAddress', '${addressOf(hostNumber()).replace(/\d+$/, '')}')`,
    },
  },
  {
    name: 'ip inSubnet, of 4,096 addresses',
    input: ({ hostNumber }) => ofAddress({ inSubnet: `${addressOf(hostNumber())}/20` }),
  },
  { name: 'mac eq', input: ({ hostNumber }) => ofInterface({ mac: { eq: macOf(hostNumber()) } }) },
  {
    name: 'no element of a list',
    input: () => ({ network: { interfaces: { none: { name: { eq: 'eth0' } } } } }),
  },
  {
    name: 'label, of forty hosts',
    input: ({ hostNumber }) => ({ label: { name: 'rack', eq: rackOf(hostNumber()) } }),
  },
  { name: 'label, of one host in ten', input: () => ({ label: { name: 'environment', eq: 'staging' } }) },
  { name: 'label, of no host', input: () => ({ label: { name: 'environment', eq: 'development' } }) },
  {
    name: 'result TIMEOUT, now and then of any host',
    input: () => ({ result: { plugin: 'network', status: ['TIMEOUT'] } }),
  },
  { name: 'result ERROR, of few hosts', input: () => ({ result: { plugin: 'user', status: ['ERROR'] } }) },
  {
    name: 'result error contains, of few hosts',
    input: () => ({ result: { plugin: 'user', error: { contains: 'passwd' } } }),
  },
];

/** The host's name has another name in the filter of reports. */
function ofReports({ name, ...others }: FilterInput): FilterInput {
  return name === undefined ? others : { ...others, hostName: name };
}

export async function filterQuestions(): Promise<Question[]> {
  const plugins = await loadBuiltinPlugins();
  const contextOf = (index: IndexStore) => ({ plugins, index, now: () => fleetStart });
  return filters.flatMap(({ name, input, duckdb }): Question[] => [
    {
      name: `newest 20 reports: ${name}`,
      looksAt: 'page',
      ask: async (index, draw) =>
        newestReports(index, await toReportFilter(ofReports(input(draw)), contextOf(index))),
      graphql: (draw) => ({
        query: `query ($filter: ReportFilter) {
          reports(first: ${pageSize}, filter: $filter) { nodes { id collectedAt host { id name } os { distribution kernel } } }
        }`,
        variables: { filter: ofReports(input(draw)) },
      }),
      ...(duckdb && {
        duckdb: (draw) => `SELECT * FROM (SELECT *, ${factsOf(duckdb.plugin)} AS facts FROM reports)
          WHERE ${duckdb.where(draw)} ORDER BY collectedAt DESC LIMIT ${pageSize}`,
      }),
    },
    {
      name: `first 20 hosts: ${name}`,
      looksAt: 'page',
      ask: async (index, draw) => hostsByName(index, await toHostFilter(input(draw), contextOf(index))),
      graphql: (draw) => ({
        query: `query ($filter: HostFilter) {
          hosts(first: ${pageSize}, filter: $filter) { nodes { id name lastSeenAt status os { distribution kernel } } }
        }`,
        variables: { filter: input(draw) },
      }),
      ...(duckdb && {
        duckdb: (draw) => `SELECT * FROM (${latestOf(duckdb.plugin)}) WHERE ${duckdb.where(draw)}
          ORDER BY name LIMIT ${pageSize}`,
      }),
    },
  ]);
}
