/** table-indexes: what the rows of the tables are found by, the same in both dialects; changing them raises `schemaVersion`. */
import type { TableName } from './tables.ts';

/** Longer text is told apart by its row: PostgreSQL refuses index entries of more than a third of a page. */
export const indexedTextLength = 200;

type Index = { name: string; table: TableName; on: string; unique?: boolean; where?: string };

/** Needed while rows come in. */
const keyIndexes: readonly Index[] = [
  { name: 'hosts_uuid', table: 'hosts', on: 'uuid', unique: true },
  { name: 'contents_hash', table: 'contents', on: 'hash', unique: true },
  { name: 'fact_sets_hash', table: 'fact_sets', on: 'hash', unique: true },
  { name: 'elements_hash', table: 'elements', on: 'hash', unique: true },
  { name: 'blocks_hash', table: 'blocks', on: 'hash', unique: true },
  { name: 'paths_path', table: 'paths', on: 'path', unique: true },
];

/** Needed only to answer, or to repair what came late: a rebuild makes them at its end, which is faster. */
const queryIndexes: readonly Index[] = [
  { name: 'hosts_name', table: 'hosts', on: 'name, uuid' },
  { name: 'hosts_first_seen', table: 'hosts', on: 'first_seen_at, uuid' },
  { name: 'hosts_last_seen', table: 'hosts', on: 'last_seen_at, uuid' },
  { name: 'reports_collected', table: 'reports', on: 'collected_at' },
  { name: 'reports_received', table: 'reports', on: 'received_at' },
  { name: 'reports_host', table: 'reports', on: 'host, collected_at' },
  // Where told_at is not collected_at: few, or none at all.
  { name: 'reports_ahead', table: 'reports', on: 'host, received_at', where: 'collected_at > received_at' },
  { name: 'content_results_fact_set', table: 'content_results', on: 'fact_set' },
  { name: 'fact_sets_plugin', table: 'fact_sets', on: 'plugin' },
  {
    name: 'fact_values_text',
    table: 'fact_values',
    on: `path, substr(text, 1, ${indexedTextLength})`,
    where: 'text IS NOT NULL',
  },
  { name: 'fact_values_number', table: 'fact_values', on: 'path, number', where: 'number IS NOT NULL' },
  { name: 'elements_list', table: 'elements', on: 'list' },
  { name: 'block_elements_element', table: 'block_elements', on: 'element, block' },
  { name: 'fact_set_blocks_block', table: 'fact_set_blocks', on: 'block, fact_set' },
  { name: 'host_plugins_fact_set', table: 'host_plugins', on: 'fact_set, host' },
  // Of results few fail.
  {
    name: 'content_results_failed',
    table: 'content_results',
    on: 'plugin, status, content',
    where: "status <> 'OK'",
  },
  { name: 'contents_host', table: 'contents', on: 'host' },
  { name: 'changes_at', table: 'changes', on: 'at, report, plugin' },
  { name: 'differences_path', table: 'differences', on: 'path' },
  { name: 'changes_before', table: 'changes', on: 'before' },
  { name: 'changes_after', table: 'changes', on: 'after' },
  { name: 'host_fact_sets_fact_set', table: 'host_fact_sets', on: 'fact_set, host' },
];

export function createKeyIndexStatements(): string[] {
  return keyIndexes.map(createIndex);
}

/** Does nothing where they are there already. */
export function createQueryIndexStatements(): string[] {
  return queryIndexes.map(createIndex);
}

function createIndex({ name, table, on, unique = false, where }: Index): string {
  const condition = where ? ` WHERE ${where}` : '';
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX IF NOT EXISTS ${name} ON ${table} (${on})${condition}`;
}
