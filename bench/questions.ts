/**
 * questions: what `queries` asks of an index, and where it makes sense the same of plain NDJSON in DuckDB.
 */
import { hostPathRoot } from '../api/index/digest.ts';
import type { ChangeFilter, FactsFilter, HostFilter, ReportFilter } from '../api/index/filter.ts';
import { ofHost } from '../api/index/filter-condition.ts';
import type { FactPath, IndexStore, ReportOrderField } from '../api/index/index-store.ts';
import { toFactConditions } from '../api/schema/plugin-filter.ts';
import { withStatus } from '../api/schema/host-status.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { addressOf, commonDistribution, rareDistribution } from './fleet.ts';

const pageSize = 20;
const aims = {
  /** What an index or a few rows answer. */
  page: { p50: 5, p99: 50 },
  /** What looks at every host. */
  hosts: { p50: 100, p99: null },
} as const;

export type Question = {
  name: string;
  ask: (index: IndexStore, draw: Draw) => Promise<unknown>;
  /** Milliseconds; null for what looks at all reports there are. */
  aim: (typeof aims)[keyof typeof aims] | null;
  /** The same as SQL over `reports` (see duckdb.ts). */
  duckdb?: (draw: Draw) => string;
};
/** Of what is there. */
export type Draw = { hostNumber(): number; hostId(): string; instant(): number };

export async function makeQuestions(): Promise<Question[]> {
  const plugins = await loadBuiltinPlugins();
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
  const byName = (index: IndexStore, filter: HostFilter | null, asOf: number | null = null) =>
    index.hosts({ filter, asOf, order: { field: 'NAME', direction: 'ASC' } }, { limit: pageSize });
  const inAnyInterface = (address: object) =>
    facts({ network: { interfaces: { some: { addresses: { some: { address } } } } } });

  const fact = (path: string, compare: FactPath['compare']): FactPath => ({
    plugin: path.split('.')[0] ?? '',
    path,
    compare,
  });
  const distribution = fact('os.distribution', 'text');
  const ofKernel = changes({ path: 'os.kernel' });

  const pages: Omit<Question, 'aim'>[] = [
    {
      name: 'newest 20 of a host',
      ask: (index, { hostId }) =>
        newest(index, { kind: 'field', field: 'host', tests: [{ op: 'eq', value: hostId() }] }),
      duckdb: ({ hostId }) =>
        `SELECT * FROM reports WHERE host.id = '${hostId()}' ORDER BY collectedAt DESC LIMIT ${pageSize}`,
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
    {
      name: 'first 20 hosts with a common fact',
      ask: (index) => byName(index, common),
      duckdb: () =>
        `SELECT * FROM (${latestOf('os')}) WHERE facts->>'distribution' = '${commonDistribution}' ORDER BY name LIMIT ${pageSize}`,
    },
    { name: 'first 20 hosts with a rare fact', ask: (index) => byName(index, rare) },
    {
      name: 'latest facts of 20 hosts',
      ask: (index, { hostId }) => index.latestResults(Array.from({ length: pageSize }, hostId), null),
    },
    {
      name: 'one host with all plugins',
      ask: async (index, { hostId }) => {
        const id = hostId();
        await Promise.all([index.hostsById([id]), index.latestResults([id], null)]);
      },
      duckdb: ({ hostId }) =>
        `SELECT * FROM reports WHERE host.id = '${hostId()}' ORDER BY collectedAt DESC LIMIT 1`,
    },
    {
      name: 'first 20 hosts with a label',
      ask: (index) => byName(index, label('environment', 'production')),
    },
    {
      name: 'first 20 hosts that are not offline',
      ask: (index) => byName(index, withStatus(['ONLINE', 'LATE'], 0)),
    },
    {
      name: 'first 20 hosts by a plugin that timed out',
      ask: (index) => byName(index, { kind: 'result', plugin: 'os', statuses: ['TIMEOUT'], error: [] }),
    },
    {
      name: 'newest 3 reports of each of 50 hosts',
      ask: (index, { hostId }) =>
        index.reportsOfHosts(
          Array.from({ length: 50 }, hostId),
          { filter: null, order: { field: 'COLLECTED_AT', direction: 'DESC' } },
          { limit: 3 },
        ),
    },
    { name: 'newest 20 changes', ask: (index) => index.changes(changes({}), { limit: pageSize }) },
    {
      name: 'newest 20 changes of a host',
      ask: (index, { hostId }) => index.changesOf('host', [hostId()], changes({}), { limit: pageSize }),
    },
    {
      name: 'newest 20 changes of a common fact',
      ask: (index) => index.changes(ofKernel, { limit: pageSize }),
    },
    {
      name: 'newest 20 changes to one value',
      ask: (index) => index.changes({ ...ofKernel, after: '"6.1.0-25-amd64"' }, { limit: pageSize }),
    },
  ];
  const ofAllHosts: Omit<Question, 'aim'>[] = [
    {
      name: 'hosts by the value of a fact',
      ask: (index) => index.factCounts({ of: distribution, by: null, filter: null, asOf: null, limit: 100 }),
      duckdb: () =>
        `SELECT facts->>'distribution' AS value, count(*) AS hosts FROM (${latestOf('os')}) GROUP BY ALL ORDER BY hosts DESC`,
    },
    {
      name: 'hosts by the values of two facts',
      ask: (index) =>
        index.factCounts({
          of: distribution,
          by: fact('cpu.model', 'text'),
          filter: null,
          asOf: null,
          limit: 100,
        }),
    },
    {
      name: 'hosts by the value of a fact, at a moment in the past',
      ask: (index, { instant }) =>
        index.factCounts({ of: distribution, by: null, filter: null, asOf: instant(), limit: 100 }),
      duckdb: ({ instant }) =>
        `SELECT facts->>'distribution' AS value, count(*) AS hosts FROM (${latestOf('os', instant())}) GROUP BY ALL ORDER BY hosts DESC`,
    },
    {
      name: 'hosts by an address in a list',
      ask: (index) =>
        index.factCounts({
          of: fact('network.dnsServers', 'ip'),
          by: null,
          filter: null,
          asOf: null,
          limit: 100,
        }),
    },
    {
      name: 'percentiles of a number',
      ask: (index) =>
        index.factDistributions({ of: fact('cpu.threads', 'number'), by: null, filter: null, asOf: null }),
    },
    {
      name: 'first 20 hosts, at a moment in the past',
      ask: (index, { instant }) => byName(index, null, instant()),
      duckdb: ({ instant }) => `SELECT * FROM (${latestOf('os', instant())}) ORDER BY name LIMIT ${pageSize}`,
    },
    {
      name: 'first 20 hosts with a common fact, at a moment in the past',
      ask: (index, { instant }) => byName(index, common, instant()),
    },
    {
      name: 'first 20 hosts with a rare fact, at a moment in the past',
      ask: (index, { instant }) => byName(index, rare, instant()),
    },
    {
      name: 'first 20 hosts in the order of a fact',
      ask: (index) =>
        index.hosts(
          {
            filter: null,
            asOf: null,
            order: { field: 'FACT', direction: 'ASC', fact: fact('os.kernel', 'version') },
          },
          { limit: pageSize },
        ),
    },
  ];
  const ofAllReports: Omit<Question, 'aim'>[] = [
    { name: 'count of all reports', ask: (index) => index.countReports(null) },
    {
      name: 'count of the reports with a common fact',
      ask: (index) => index.countReports(common),
    },
    {
      name: 'count of the hosts with a common fact',
      ask: (index) => index.countHosts({ filter: common, asOf: null }),
    },
    { name: 'reports by day', ask: (index) => index.reportCounts(null, 'DAY') },
    { name: 'count of all changes', ask: (index) => index.countChanges(changes({})) },
  ];
  return [
    ...pages.map((question) => ({ ...question, aim: aims.page })),
    ...ofAllHosts.map((question) => ({ ...question, aim: aims.hosts })),
    ...ofAllReports.map((question) => ({ ...question, aim: null })),
  ];
}

function label(name: string, value: string): HostFilter {
  const path = `${hostPathRoot}.labels.${name}`;
  return ofHost({ kind: 'value', path, column: 'text', tests: [{ op: 'eq', value }] });
}

function changes(asked: Partial<ChangeFilter>): ChangeFilter {
  const everything = {
    ...{ host: null, reports: null, plugin: null, path: null, start: null, end: null },
    ...{ before: null, after: null, initial: false },
  };
  return { ...everything, ...asked };
}

/** What each host told of a plugin last, by a moment. */
function latestOf(plugin: string, asOf?: number): string {
  const until = asOf === undefined ? '' : `WHERE collectedAt <= '${new Date(asOf).toISOString()}'`;
  return `SELECT DISTINCT ON (host.id) host.name AS name, list_filter(results, r -> r.plugin = '${plugin}')[1].facts AS facts
    FROM reports ${until} ORDER BY host.id, collectedAt DESC`;
}

/** Behind every report of the same instant. */
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
