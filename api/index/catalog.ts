/**
 * catalog: gives hosts, contents and paths their numbers, and adds those that are new.
 *
 * After each of these the memory knows all that were asked for.
 */
import { inChunks } from './chunks.ts';
import { foldCase } from './comparable.ts';
import type { Database, Transaction } from './database.ts';
import { type Digest, hostPathRoot, hostPlugin } from './digest.ts';
import { type Content, type PluginState, type ToldResult, toContent } from './timeline.ts';
import type { WriterMemory } from './writer-memory.ts';

/** A digest leaves out what its index should have, and has not. */
export class Lacking extends Error {}

export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Lacking('the catalog knows all that a whole digest has');
  return value;
}

/** What the paths of a plugin's facts begin with. */
export function pathRoot(plugin: string): string {
  return plugin === hostPlugin ? hostPathRoot : plugin;
}

/** The plugin whose facts' paths begin so. */
export function pluginOf(root: string): string {
  return root === hostPathRoot ? hostPlugin : root;
}

export async function learnPaths(
  transaction: Transaction,
  memory: WriterMemory,
  paths: ReadonlySet<string>,
): Promise<void> {
  const unknown = [...paths].filter((path) => !memory.paths.has(path));
  const found = await inChunks(unknown, (part) =>
    transaction.query.selectFrom('paths').selectAll().where('path', 'in', part).execute(),
  );
  for (const { id, path } of found) memory.paths.set(path, id);
  const rows: [number, string][] = [];
  for (const path of unknown) {
    if (memory.paths.has(path)) continue;
    const id = await memory.nextId(transaction, 'paths');
    memory.paths.set(path, id);
    rows.push([id, path]);
  }
  await transaction.insert('paths', ['id', 'path'], rows);
}

/** A host that is new has a number and no state: its row is for whoever knows its reports. */
export async function learnHosts(
  { toUuid, fromUuid }: Pick<Database, 'toUuid' | 'fromUuid'>,
  transaction: Transaction,
  memory: WriterMemory,
  uuids: Iterable<string>,
): Promise<void> {
  const { query } = transaction;
  const unknown = [...uuids].filter((uuid) => !memory.hosts.has(uuid));
  const rows = await inChunks(unknown, (part) =>
    query.selectFrom('hosts').selectAll().where('uuid', 'in', part.map(toUuid)).execute(),
  );
  const plugins = new Map<number, Map<string, PluginState>>(rows.map(({ id }) => [id, new Map()]));
  const pluginRows = await inChunks(plugins.keys(), (part) =>
    query.selectFrom('host_plugins').selectAll().where('host', 'in', part).execute(),
  );
  for (const { host, plugin, fact_set: factSet, report } of pluginRows) {
    plugins.get(host)?.set(plugin, { factSet, report: report === null ? null : fromUuid(report) });
  }
  const contents = await readContents(
    transaction,
    rows.map(({ content }) => content),
  );
  for (const row of rows) {
    const uuid = fromUuid(row.uuid);
    memory.hosts.set(uuid, {
      id: row.id,
      uuid,
      firstSeenAt: row.first_seen_at,
      lastSeenAt: row.last_seen_at,
      name: row.name,
      state: {
        newest: { at: row.told_at, report: fromUuid(row.report) },
        content: contents.get(row.content) ?? toContent(row.content, []),
        plugins: plugins.get(row.id) ?? new Map(),
      },
    });
  }
  for (const uuid of unknown) {
    if (memory.hosts.has(uuid)) continue;
    const id = await memory.nextId(transaction, 'hosts');
    memory.hosts.set(uuid, { id, uuid, firstSeenAt: null, lastSeenAt: null, name: null, state: null });
  }
}

/** Their hosts and fact sets must be known. */
export async function learnContents(
  transaction: Transaction,
  memory: WriterMemory,
  { contents }: Pick<Digest, 'contents'>,
  hashes: Iterable<string>,
): Promise<void> {
  const { query, insert } = transaction;
  const unknown = [...hashes].filter((hash) => !memory.contents.has(hash));
  const found = await inChunks(unknown, (part) =>
    query.selectFrom('contents').select(['id', 'hash', 'name']).where('hash', 'in', part).execute(),
  );
  const read = await readContents(
    transaction,
    found.map(({ id }) => id),
  );
  for (const { id, hash, name } of found) {
    memory.contents.set(hash, { ...(read.get(id) ?? toContent(id, [])), name });
  }
  const rows: unknown[][] = [];
  const resultRows: unknown[][] = [];
  for (const hash of unknown) {
    const content = contents.get(hash);
    if (!content || memory.contents.has(hash)) continue;
    const id = await memory.nextId(transaction, 'contents');
    const { host } = content;
    rows.push([id, known(memory.hosts.get(host.id)).id, hash, host.name]);
    const results = content.results.map(({ plugin, version, status, error, factSet, shape }, position) => {
      const set = factSet === null ? null : known(memory.factSets.get(factSet));
      const folded = error === null || foldCase(error) === error ? null : foldCase(error);
      resultRows.push([id, position, plugin, version, status, error, folded, set, shape]);
      return { plugin, status, factSet: set };
    });
    memory.contents.set(hash, { ...toContent(id, results), name: host.name });
  }
  await insert('contents', ['id', 'host', 'hash', 'name'], rows);
  await insert(
    'content_results',
    ['content', 'position', 'plugin', 'version', 'status', 'error', 'folded', 'fact_set', 'shape'],
    resultRows,
  );
}

/** By id. */
export async function readContents(
  { query }: Pick<Transaction, 'query'>,
  ids: Iterable<number>,
): Promise<Map<number, Content>> {
  const distinct = new Set(ids);
  const results = new Map<number, ToldResult[]>([...distinct].map((id) => [id, []]));
  const rows = await inChunks(distinct, (part) =>
    query
      .selectFrom('content_results')
      .select(['content', 'position', 'plugin', 'status', 'fact_set'])
      .where('content', 'in', part)
      .orderBy('content')
      .orderBy('position')
      .execute(),
  );
  for (const { content, plugin, status, fact_set: factSet } of rows) {
    results.get(content)?.push({ plugin, status, factSet });
  }
  return new Map([...results].map(([id, list]) => [id, toContent(id, list)]));
}
