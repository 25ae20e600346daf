/** question: what a question of the benchmark is, and what several of them are made of. */
import { columnOf } from '../../api/index/comparable.ts';
import type { FactsFilter, HostFilter, ReportFilter } from '../../api/index/filter.ts';
import type { FactPath, IndexStore, ReportOrderField } from '../../api/index/index-store.ts';
import type { Comparison } from '../../plugins/fact.ts';
import { commonDistribution, rareDistribution } from '../fleet.ts';

/** Milliseconds that it may take; p99 is null where only the median counts. */
export type Aim = { p50: number; p99: number | null };

/** Of what is there. */
export type Draw = {
  hostNumber(): number;
  hostId(): string;
  /** Between the first report and the last, milliseconds since 1970. */
  instant(): number;
  /** Of the last report. */
  latest(): number;
};

export type Question = {
  name: string;
  /** page: what an index or few rows answer. hosts: every host. all: every report or change. */
  looksAt: 'page' | 'hosts' | 'all';
  ask(index: IndexStore, draw: Draw): Promise<unknown>;
  /** The same of the whole API. */
  graphql?(draw: Draw): GraphqlQuestion;
  /** The same as SQL over `reports` (see duckdb.ts). */
  duckdb?(draw: Draw): string;
};

export type GraphqlQuestion = { query: string; variables?: Record<string, unknown> };

export const pageSize = 20;

/** Behind every report of the same instant. */
export const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export function newestReports(
  index: IndexStore,
  filter: ReportFilter | null,
  before?: number,
  field: ReportOrderField = 'COLLECTED_AT',
) {
  return index.reports(
    { filter, order: { field, direction: 'DESC' } },
    { limit: pageSize, ...(before === undefined ? {} : { after: { value: before, id: lastId } }) },
  );
}

export function hostsByName(index: IndexStore, filter: HostFilter | null, asOf: number | null = null) {
  return index.hosts({ filter, asOf, order: { field: 'NAME', direction: 'ASC' } }, { limit: pageSize });
}

export function fact(path: string, compare: Comparison): FactPath {
  return { plugin: pluginOf(path), path, compare };
}

function factIs(path: string, value: string): FactsFilter {
  const tests = [{ op: 'eq', value }] as const;
  return {
    kind: 'facts',
    plugin: pluginOf(path),
    conditions: [{ kind: 'value', path, column: columnOf('text'), tests }],
  };
}

function pluginOf(path: string): string {
  return path.split('.')[0] ?? '';
}

export const isCommon = factIs('os.distribution', commonDistribution);
export const isRare = factIs('os.distribution', rareDistribution);

/** What each host told of a plugin last, by a moment, in DuckDB. */
export function latestOf(plugin: string, asOf?: number): string {
  const until = asOf === undefined ? '' : `WHERE collectedAt <= '${new Date(asOf).toISOString()}'`;
  return `SELECT DISTINCT ON (host.id) host.id AS id, host.name AS name, ${factsOf(plugin)} AS facts
    FROM reports ${until} ORDER BY host.id, collectedAt DESC`;
}

/** In DuckDB, of one report. */
export function factsOf(plugin: string): string {
  return `list_filter(results, r -> r.plugin = '${plugin}')[1].facts`;
}
