/**
 * report-plan: decides whether a list of reports is walked in the order of time, or gathered from few hosts.
 *
 * Walking is right for common answers: the first page fills soon. A rare one would walk all of history; it is in
 * the reports of few hosts, and of those between the first and last time they told a matching fact set.
 * The questions that find this out are bounded themselves.
 */
import { sql } from 'kysely';
import { isAmong } from './among.ts';
import type { Database } from './database.ts';
import type { HostFilter, ReportFilter } from './filter.ts';
import type { HostSpan } from './gather.ts';
import { conjuncts, fewFactSets, hostsFailed, isFailure, whichHosts } from './host-plan.ts';

export type ReportPlan =
  | {
      kind: 'walk';
      /** Where they are few, only reports of these hosts, with one of these fact sets: cheaper to tell than what the filter says. */
      factSets: readonly number[] | null;
      hosts: readonly number[] | null;
      /** Whether the answer may be so rare that all of history is walked for a page. */
      mayBeRare: boolean;
    }
  /** Of reports in these stretches of told_at. */
  | { kind: 'hosts'; spans: readonly HostSpan[] };

/** Named by a filter: with more, walking finds a page sooner: one in a hundred hosts of ten thousand. */
const maxNamed = 100;
/** With more, it costs more to find them out than to look at a report more closely: one in ten. */
export const maxSpans = 1_000;

export async function planReports(database: Database, filter: ReportFilter | null): Promise<ReportPlan> {
  let best: readonly HostSpan[] | null = null;
  let fewest: readonly number[] | null = null;
  let mayBeRare = false;
  for (const part of conjuncts(filter)) {
    const factSets = part.kind === 'facts' ? await fewFactSets(database, part.conditions) : null;
    if (factSets && (!fewest || factSets.length < fewest.length)) fewest = factSets;
    const spans: readonly HostSpan[] | null = factSets
      ? await spansWith(database, factSets)
      : await spansOf(database, part);
    // Many stretches of few fact sets, or failures of many hosts, are met soon on the way.
    if (!spans && !factSets && part.kind !== 'field' && !(part.kind === 'result' && isFailure(part)))
      mayBeRare = true;
    if (spans && (!best || spans.length < best.length)) best = spans;
    if (best?.length === 0) break;
  }
  if (!best) return { kind: 'walk', factSets: fewest, hosts: null, mayBeRare };
  return { kind: 'hosts', spans: best };
}

/** The hosts that a filter names, where they are few: null when they are not, or it names none. */
async function spansOf(database: Database, filter: ReportFilter): Promise<HostSpan[] | null> {
  if (filter.kind === 'result') {
    const failed = await hostsFailed(database, filter);
    return failed?.map((host) => ({ host, first: null, last: null, newest: null })) ?? null;
  }
  const named = namedHosts(filter);
  if (!named) return null;
  const hosts = await database.query
    .selectFrom('hosts as h')
    .select(['h.id', 'h.told_at'])
    .where(await whichHosts(database, named, null, 'all'))
    .limit(maxNamed + 1)
    .execute();
  if (hosts.length > maxNamed) return null;
  return hosts.map(({ id, told_at }) => ({ host: id, first: null, last: null, newest: told_at }));
}

/** A filter of the hosts whose reports may pass; null when it says nothing of them. */
function namedHosts(filter: ReportFilter): HostFilter | null {
  if (filter.kind === 'host') return filter.filter;
  if (filter.kind === 'field' && filter.field === 'host')
    return { kind: 'field', field: 'id', tests: filter.tests };
  return null;
}

/** When hosts told one of the fact sets, where the stretches are not too many: null when they are. */
async function spansWith(database: Database, factSets: readonly number[]): Promise<HostSpan[] | null> {
  if (factSets.length === 0) return [];
  const toldOne = isAmong(database, sql`s.fact_set`, factSets);
  // In the index alone: of a common fact there is more to read of each.
  const { rows: counted } = await sql<{ n: number }>`SELECT count(*) AS n FROM (
    SELECT 1 FROM host_fact_sets s WHERE ${toldOne} LIMIT ${sql.lit(maxSpans + 1)}) AS counted`.execute(
    database.query,
  );
  if (Number(counted[0]?.n) > maxSpans) return null;
  const { rows } = await sql<{ host: number; first_at: number; last_at: number | null; told_at: number }>`
    SELECT s.host, s.first_at, s.last_at, h.told_at FROM host_fact_sets s JOIN hosts h ON h.id = s.host
    WHERE ${toldOne}`.execute(database.query);
  // A host may have gone from one to another, and back: its stretches are one, so that no report is there twice.
  return [...Map.groupBy(rows, ({ host }) => host)].map(([host, own]) => {
    const open = own.some(({ last_at }) => last_at === null);
    const last = Math.max(...own.map(({ last_at, told_at }) => last_at ?? told_at));
    return {
      host,
      first: Math.min(...own.map(({ first_at }) => first_at)),
      last: open ? null : last,
      newest: last,
    };
  });
}
