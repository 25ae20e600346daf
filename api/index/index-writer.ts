/**
 * index-writer: applies digests of segments to the index, in either dialect.
 *
 * One transaction for all that it is handed, with as many statements for a thousand reports as for one. Remembers
 * hosts and numbers from one to the next, for as long as nobody else has written in between.
 */

import { newsMs } from './announcements.ts';
import { known, Lacking, learnContents, learnHosts } from './catalog.ts';
import { inChunks } from './chunks.ts';
import type { Database, Transaction } from './database.ts';
import { type Digest, type ReportDigest, toldAt } from './digest.ts';
import { learnFactSets } from './fact-sets.ts';
import type { Declarations } from './flatten.ts';
import { type HostUpdate, recomputeHost, writeHosts } from './host-rows.ts';
import { type LateReport, placeLateReports } from './late-reports.ts';
import { defaultLongListLength } from './long-lists.ts';
import { advance, isBefore, noRows } from './timeline.ts';
import { type KnownHost, makeWriterMemory, type WriterMemory } from './writer-memory.ts';

/** `news`: reports that came in for the first time, and were received in the last minutes. */
export type Applied = { news: string[] };

/** Tells other processes of what a transaction brought. */
export type Announce = (transaction: Transaction, news: readonly string[]) => Promise<void>;

export type WriterOptions = {
  announce?: Announce;
  /** @default defaultLongListLength */
  longListLength?: number | undefined;
};

export type IndexWriter = {
  /**
   * Segments that were applied before are passed over.
   *
   * @returns null when the digest leaves out what the index does not have: then nothing was applied
   */
  apply(digest: Digest): Promise<Applied | null>;
  /** Takes merged segments for applied, and forgets their sources, where all of the sources were applied. */
  replaced(parts: readonly string[], sources: readonly string[]): Promise<void>;
  /** Runs anything else that changes the index. */
  change<T>(work: (transaction: Transaction, memory: WriterMemory) => Promise<T>): Promise<T>;
};

export function makeIndexWriter(
  database: Database,
  declarations: Declarations,
  { announce = async () => {}, longListLength = defaultLongListLength }: WriterOptions = {},
): IndexWriter {
  const memory = makeWriterMemory(declarations, longListLength);

  async function change<T>(work: (transaction: Transaction, memory: WriterMemory) => Promise<T>): Promise<T> {
    try {
      return await database.write(async (transaction) => {
        memory.trim();
        await memory.begin(transaction);
        return work(transaction, memory);
      });
    } catch (cause) {
      // What it learnt may have been rolled back.
      memory.clear();
      throw cause;
    }
  }

  return {
    change,
    async apply(digest) {
      try {
        return await change(async (transaction) => {
          const fresh = await applyDigest(database, transaction, memory, digest);
          const since = Date.now() - newsMs;
          const news = fresh.filter(({ receivedAt }) => receivedAt >= since).map(({ id }) => id);
          if (news.length > 0) await announce(transaction, news);
          return { news };
        });
      } catch (cause) {
        if (cause instanceof Lacking) return null;
        throw cause;
      }
    },
    replaced: (parts, sources) =>
      change(async ({ query, insert }) => {
        const applied = await appliedOf({ query }, sources);
        if (applied.size < new Set(sources).size) return;
        await insert(
          'segments',
          ['key'],
          parts.map((key) => [key]),
          'keep',
        );
        const gone = sources.filter((key) => !parts.includes(key));
        await inChunks(gone, (part) => query.deleteFrom('segments').where('key', 'in', part).execute());
      }),
  };
}

/** Those of the keys that were applied. */
export async function appliedOf(
  { query }: Pick<Transaction, 'query'>,
  keys: readonly string[],
): Promise<Set<string>> {
  const rows = await inChunks(keys, (part) =>
    query.selectFrom('segments').select('key').where('key', 'in', part).execute(),
  );
  return new Set(rows.map(({ key }) => key));
}

/** @returns the reports that were not known before */
async function applyDigest(
  database: Database,
  transaction: Transaction,
  memory: WriterMemory,
  digest: Digest,
): Promise<ReportDigest[]> {
  const { insert } = transaction;
  const { toUuid } = database;
  const applied = await appliedOf(
    transaction,
    digest.segments.map(({ key }) => key),
  );
  const segments = digest.segments.filter(({ key }) => !applied.has(key));
  await insert(
    'segments',
    ['key'],
    segments.map(({ key }) => [key]),
    'keep',
  );
  const { fresh, earlier, replacedOwners } = await sortOut(database, transaction, firstCopies(segments));
  const reports = [...fresh, ...earlier];
  if (reports.length === 0) return [];

  await learnFactSets(transaction, memory, digest);
  await learnHosts(database, transaction, memory, new Set(reports.map(({ hostId }) => hostId)));
  await learnContents(transaction, memory, digest, new Set(reports.map(({ content }) => content)));
  const hostOf = (report: ReportDigest) => known(memory.hosts.get(report.hostId));
  const contentOf = (report: ReportDigest) => known(memory.contents.get(report.content));
  await insert(
    'reports',
    ['id', 'host', 'collected_at', 'received_at', 'content', 'measured'],
    reports.map((report) => [
      toUuid(report.id),
      hostOf(report).id,
      report.collectedAt,
      report.receivedAt,
      contentOf(report).id,
      report.measured,
    ]),
    { set: ['host', 'collected_at', 'received_at', 'content', 'measured'] },
  );

  const updates: HostUpdate[] = [];
  const late: { host: KnownHost; reports: LateReport[] }[] = [];
  for (const ofHost of Map.groupBy(fresh, ({ hostId }) => hostId).values()) {
    const host = hostOf(known(ofHost[0]));
    const newest = host.state?.newest;
    const rows = noRows();
    const before: LateReport[] = [];
    const inOrder = ofHost
      .map((report) => ({ at: toldAt(report), report: report.id, content: contentOf(report), of: report }))
      .sort((a, b) => (isBefore(a, b) ? -1 : 1));
    for (const { of, content, ...moment } of inOrder) {
      host.firstSeenAt = Math.min(host.firstSeenAt ?? of.receivedAt, of.receivedAt);
      host.lastSeenAt = Math.max(host.lastSeenAt ?? 0, of.receivedAt);
      if (newest && isBefore(moment, newest)) {
        before.push({ ...moment, content });
      } else {
        host.state = advance(host.state, moment, content, rows);
        host.name = content.name;
      }
    }
    updates.push({ host, rows });
    if (before.length > 0) late.push({ host, reports: before });
  }
  await writeHosts(database, transaction, memory, updates);
  for (const { host, reports: ofHost } of late)
    await placeLateReports(database, transaction, memory, host, ofHost);

  // A copy that counts instead of the one that is there may say anything: all of its host is computed anew.
  const owners = await hostsOf(database, transaction, replacedOwners);
  for (const report of earlier) owners.set(hostOf(report).id, report.hostId);
  for (const [id, uuid] of owners) await recomputeHost(database, transaction, memory, { id, uuid });
  return fresh;
}

/** Each report once, in its first copy. */
function firstCopies(segments: Digest['segments']): Map<string, ReportDigest> {
  const first = new Map<string, ReportDigest>();
  for (const report of segments.flatMap(({ reports }) => reports)) {
    const other = first.get(report.id);
    if (!other || report.receivedAt < other.receivedAt) first.set(report.id, report);
  }
  return first;
}

type SortedOut = {
  /** Not known yet. */
  fresh: ReportDigest[];
  /** Known, but received earlier than the copy that is known: these count instead. */
  earlier: ReportDigest[];
  /** Numbers of the hosts that have those copies. */
  replacedOwners: Set<number>;
};

async function sortOut(
  { toUuid, fromUuid }: Database,
  { query }: Transaction,
  incoming: ReadonlyMap<string, ReportDigest>,
): Promise<SortedOut> {
  const rows = await inChunks(incoming.keys(), (part) =>
    query
      .selectFrom('reports')
      .select(['id', 'host', 'received_at'])
      .where('id', 'in', part.map(toUuid))
      .execute(),
  );
  const fresh = new Map(incoming);
  const earlier: ReportDigest[] = [];
  const replacedOwners = new Set<number>();
  for (const { id, host, received_at: receivedAt } of rows) {
    const report = known(incoming.get(fromUuid(id)));
    fresh.delete(report.id);
    if (report.receivedAt >= receivedAt) continue;
    earlier.push(report);
    replacedOwners.add(host);
  }
  return { fresh: [...fresh.values()], earlier, replacedOwners };
}

/** Their UUIDs by their numbers. */
async function hostsOf(
  { fromUuid }: Database,
  { query }: Transaction,
  ids: ReadonlySet<number>,
): Promise<Map<number, string>> {
  const rows = await inChunks(ids, (part) =>
    query.selectFrom('hosts').select(['id', 'uuid']).where('id', 'in', part).execute(),
  );
  return new Map(rows.map(({ id, uuid }) => [id, fromUuid(uuid)]));
}
