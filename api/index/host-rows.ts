/** host-rows: writes what follows for hosts from their reports, and computes one anew from all of them. */
import { readContents } from './catalog.ts';
import { writeChanges } from './change-rows.ts';
import type { Database, Transaction } from './database.ts';
import { advance, type HostState, isBefore, noRows, type TimelineRows, toContent } from './timeline.ts';
import type { KnownHost, WriterMemory } from './writer-memory.ts';

/** A host as it is now, and the rows that led to it. */
export type HostUpdate = { host: KnownHost; rows: TimelineRows };

export async function writeHosts(
  database: Pick<Database, 'toUuid'>,
  transaction: Transaction,
  memory: WriterMemory,
  updates: readonly HostUpdate[],
): Promise<void> {
  const { toUuid } = database;
  const { insert } = transaction;
  const uuidOrNull = (text: string | null) => (text === null ? null : toUuid(text));
  await insert(
    'hosts',
    ['id', 'uuid', 'first_seen_at', 'last_seen_at', 'told_at', 'report', 'content', 'name'],
    updates.flatMap(({ host }) => {
      const { id, uuid, firstSeenAt, lastSeenAt, name, state } = host;
      if (!state) return [];
      const { newest, content } = state;
      const report = toUuid(newest.report);
      return [[id, toUuid(uuid), firstSeenAt, lastSeenAt, newest.at, report, content.id, name]];
    }),
    { set: ['first_seen_at', 'last_seen_at', 'told_at', 'report', 'content', 'name'] },
  );
  const changes = updates.flatMap(({ host, rows }) =>
    rows.changes.map((change) => ({ ...change, host: host.id })),
  );
  await writeChanges(database, transaction, memory, changes);
  await insert(
    'host_plugins',
    ['host', 'plugin', 'fact_set', 'report'],
    updates.flatMap(({ host, rows }) =>
      [...rows.plugins].map(([plugin, { factSet, report }]) => [
        host.id,
        plugin,
        factSet,
        uuidOrNull(report),
      ]),
    ),
    { set: ['fact_set', 'report'] },
  );
  await insert(
    'host_fact_sets',
    ['host', 'fact_set', 'first_at', 'last_at'],
    updates.flatMap(({ host, rows }) =>
      [...rows.factSets].map(([factSet, { first, last }]) => [host.id, factSet, first, last]),
    ),
    { set: ['last_at'], least: ['first_at'] },
  );
}

/** Computes all that is told of a host from the reports that the index has; deletes it where there are none. */
export async function recomputeHost(
  database: Pick<Database, 'toUuid' | 'fromUuid'>,
  transaction: Transaction,
  memory: WriterMemory,
  { id, uuid }: Pick<KnownHost, 'id' | 'uuid'>,
): Promise<void> {
  const { query } = transaction;
  memory.hosts.delete(uuid);
  for (const table of ['changes', 'host_plugins', 'host_fact_sets'] as const) {
    await query.deleteFrom(table).where('host', '=', id).execute();
  }
  await query.deleteFrom('hosts').where('id', '=', id).execute();
  const reports = (
    await query
      .selectFrom('reports')
      .select(['id', 'collected_at', 'received_at', 'content'])
      .where('host', '=', id)
      .execute()
  )
    .map(({ id: report, collected_at, received_at, content }) => ({
      at: Math.min(collected_at, received_at),
      report: database.fromUuid(report),
      receivedAt: received_at,
      content,
    }))
    .sort((a, b) => (isBefore(a, b) ? -1 : 1));
  const contents = await readContents(
    transaction,
    reports.map(({ content }) => content),
  );
  const rows = noRows();
  let state: HostState | null = null;
  for (const { at, report, content } of reports) {
    state = advance(state, { at, report }, contents.get(content) ?? toContent(content, []), rows);
  }
  if (!state) return;
  const { name } = await query
    .selectFrom('contents')
    .select('name')
    .where('id', '=', state.content.id)
    .executeTakeFirstOrThrow();
  const received = reports.map(({ receivedAt }) => receivedAt);
  const host: KnownHost = {
    id,
    uuid,
    firstSeenAt: received.reduce((a, b) => Math.min(a, b)),
    lastSeenAt: received.reduce((a, b) => Math.max(a, b)),
    name,
    state,
  };
  await writeHosts(database, transaction, memory, [{ host, rows }]);
  memory.hosts.set(uuid, host);
}
