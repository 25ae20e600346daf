/**
 * late-reports: gives a report that is older than its host's newest its place in time.
 *
 * Its rows in `reports` are there already, with those of all others of its batch. Repairs the changes on either side.
 */
import { writeChanges } from './change-rows.ts';
import type { Database, Transaction } from './database.ts';
import { type Change, type Content, isBefore, type Moment, type PluginState } from './timeline.ts';
import type { KnownHost, WriterMemory } from './writer-memory.ts';

export type LateReport = Moment & { content: Content };

/** @param late in any order */
export async function placeLateReports(
  database: Pick<Database, 'toUuid' | 'fromUuid'>,
  transaction: Transaction,
  memory: WriterMemory,
  host: KnownHost,
  late: readonly LateReport[],
): Promise<void> {
  const { query, insert } = transaction;
  const { toUuid, fromUuid } = database;
  const plugins = host.state?.plugins ?? new Map<string, PluginState>();
  const changes = (await query.selectFrom('changes').selectAll().where('host', '=', host.id).execute()).map(
    (row): Change => ({ ...row, report: fromUuid(row.report) }),
  );
  // The newest first: then the report after each one is in its place already.
  const newestFirst = late.toSorted((a, b) => (isBefore(a, b) ? 1 : -1));

  for (const { content, ...moment } of newestFirst) {
    for (const { plugin, ok, factSet } of content.results) {
      if (!ok) continue;
      await placeChange(moment, plugin, factSet);
      await placeState(moment, plugin, factSet);
    }
  }
  await widenFactSets();

  async function placeChange(moment: Moment, plugin: string, after: number | null): Promise<void> {
    const before = changes
      .filter((change) => change.plugin === plugin && isBefore(change, moment))
      .reduce<Change | null>((last, change) => (last && isBefore(change, last) ? last : change), null);
    if ((before?.after ?? null) === after) return;
    await writeChange({ ...moment, plugin, before: before?.after ?? null, after });
    const next = await nextTold(database, transaction, host.id, plugin, moment);
    if (next) await writeChange({ ...next.moment, plugin, before: after, after: next.factSet });
  }

  /** The row of this report and plugin, or that there is none where nothing changed. */
  async function writeChange(change: Change): Promise<void> {
    const { at, report, plugin, before, after } = change;
    const known = changes.findIndex((row) => row.plugin === plugin && row.report === report);
    if (known >= 0) changes.splice(known, 1);
    if (before === after) {
      await query
        .deleteFrom('changes')
        .where('host', '=', host.id)
        .where('plugin', '=', plugin)
        .where('at', '=', at)
        .where('report', '=', toUuid(report))
        .execute();
      return;
    }
    changes.push(change);
    await writeChanges(database, transaction, memory, [{ ...change, host: host.id }], {
      set: ['before', 'after'],
    });
  }

  /** Where the host's newer reports do not tell of the plugin, this may be the latest of it. */
  async function placeState(moment: Moment, plugin: string, factSet: number | null): Promise<void> {
    const known = plugins.get(plugin);
    if (known && known.report === null) return;
    if (known?.report && isBefore(moment, await momentOf(database, transaction, known.report))) return;
    plugins.set(plugin, { factSet, report: moment.report });
    await insert(
      'host_plugins',
      ['host', 'plugin', 'fact_set', 'report'],
      [[host.id, plugin, factSet, toUuid(moment.report)]],
      { set: ['fact_set', 'report'] },
    );
  }

  async function widenFactSets(): Promise<void> {
    const spans = new Map<number, { first: number; last: number | null }>();
    for (const { at, content } of newestFirst) {
      for (const { factSet } of content.results) {
        if (factSet !== null) spans.set(factSet, { first: at, last: spans.get(factSet)?.last ?? at });
      }
    }
    const known = await query
      .selectFrom('host_fact_sets')
      .selectAll()
      .where('host', '=', host.id)
      .where('fact_set', 'in', [...spans.keys(), 0])
      .execute();
    for (const { fact_set: factSet, first_at: first, last_at: last } of known) {
      const span = spans.get(factSet);
      if (!span) continue;
      span.first = Math.min(span.first, first);
      span.last = last === null ? null : Math.max(span.last ?? 0, last);
    }
    await insert(
      'host_fact_sets',
      ['host', 'fact_set', 'first_at', 'last_at'],
      [...spans].map(([factSet, { first, last }]) => [host.id, factSet, first, last]),
      { set: ['first_at', 'last_at'] },
    );
  }
}

async function momentOf(
  { toUuid }: Pick<Database, 'toUuid'>,
  { query }: Transaction,
  report: string,
): Promise<Moment> {
  const found = await query
    .selectFrom('reports')
    .select(['collected_at', 'received_at'])
    .where('id', '=', toUuid(report))
    .executeTakeFirst();
  // One that was forgotten is older than whatever comes.
  return { at: found ? Math.min(found.collected_at, found.received_at) : 0, report };
}

/** The host's first report after a moment in which the plugin was successful. */
async function nextTold(
  { toUuid, fromUuid }: Pick<Database, 'toUuid' | 'fromUuid'>,
  { query }: Transaction,
  host: number,
  plugin: string,
  after: Moment,
): Promise<{ moment: Moment; factSet: number | null } | null> {
  // told_at is one of two columns, each with an index of its own for the reports whose it is.
  const first = async (column: 'collected_at' | 'received_at', comparison: '<=' | '>') => {
    const row = await query
      .selectFrom('reports as r')
      .innerJoin('content_results as x', 'x.content', 'r.content')
      .select(['r.id', `r.${column} as at`, 'x.fact_set'])
      .where('r.host', '=', host)
      .whereRef('r.collected_at', comparison, 'r.received_at')
      .where('x.plugin', '=', plugin)
      .where('x.status', '=', 'OK')
      .where(({ eb, and, or }) =>
        or([
          eb(`r.${column}`, '>', after.at),
          and([eb(`r.${column}`, '=', after.at), eb('r.id', '>', toUuid(after.report))]),
        ]),
      )
      .where(`r.${column}`, '>=', after.at)
      .orderBy(`r.${column}`)
      .orderBy('r.id')
      .limit(1)
      .executeTakeFirst();
    return row ? { moment: { at: row.at, report: fromUuid(row.id) }, factSet: row.fact_set } : null;
  };
  const right = await first('collected_at', '<=');
  const ahead = await first('received_at', '>');
  if (!right || !ahead) return right ?? ahead;
  return isBefore(right.moment, ahead.moment) ? right : ahead;
}
