/**
 * index-dump: all that an index tells, without the numbers that it gave to things: two indexes of the same reports
 * have the same dump, in whatever order and dialect they took them.
 */
import { DatabaseSync } from 'node:sqlite';
import { textOfFacts } from '../../api/index/facts-text.ts';
import { canonicalJson } from '../../plugins/fact-set.ts';
import { runSql } from './postgres.ts';

export type Dump = Record<string, string[]>;

type Ask = (statement: string) => Promise<Record<string, unknown>[]>;

const questions = {
  reports: `SELECT r.id AS report, h.uuid AS host, r.collected_at, r.received_at, c.hash AS content, r.measured
    FROM reports r JOIN hosts h ON h.id = r.host JOIN contents c ON c.id = r.content`,
  hosts: `SELECT h.uuid AS host, h.first_seen_at, h.last_seen_at, h.told_at, h.report AS report, c.hash AS content, h.name
    FROM hosts h JOIN contents c ON c.id = h.content`,
  changes: `SELECT h.uuid AS host, c.plugin, c.at, c.report AS report, b.hash AS before, a.hash AS after
    FROM changes c JOIN hosts h ON h.id = c.host
    LEFT JOIN fact_sets b ON b.id = c.before LEFT JOIN fact_sets a ON a.id = c.after`,
  differences: `SELECT h.uuid AS host, c.plugin, c.at, c.report AS report, d.position, p.path, d.keys, d.before_value, d.after_value
    FROM changes c JOIN hosts h ON h.id = c.host JOIN differences d ON d.before = c.before AND d.after = c.after
    JOIN paths p ON p.id = d.path`,
  hostPlugins: `SELECT h.uuid AS host, p.plugin, f.hash AS facts, p.report AS report
    FROM host_plugins p JOIN hosts h ON h.id = p.host LEFT JOIN fact_sets f ON f.id = p.fact_set`,
  hostFactSets: `SELECT h.uuid AS host, f.hash AS facts, s.first_at, s.last_at
    FROM host_fact_sets s JOIN hosts h ON h.id = s.host JOIN fact_sets f ON f.id = s.fact_set`,
  values: `SELECT f.hash AS facts, p.path, v.item, v.parent, v.text, v.folded, v.number
    FROM fact_values v JOIN fact_sets f ON f.id = v.fact_set JOIN paths p ON p.id = v.path`,
  elementValues: `SELECT f.hash AS facts, e.hash AS element, l.path AS list, p.path, v.item, v.parent, v.text, v.folded, v.number
    FROM fact_set_blocks b JOIN fact_sets f ON f.id = b.fact_set JOIN block_elements c ON c.block = b.block
    JOIN elements e ON e.id = c.element JOIN paths l ON l.id = e.list
    JOIN fact_values v ON v.fact_set = -e.id JOIN paths p ON p.id = v.path`,
  factSets: 'SELECT hash, plugin, facts AS json, packed FROM fact_sets',
  contents: `SELECT c.hash, c.name, x.position, x.plugin, x.version, x.status, x.error,
      f.hash AS facts, x.shape
    FROM contents c LEFT JOIN content_results x ON x.content = c.id LEFT JOIN fact_sets f ON f.id = x.fact_set`,
};

/** Only fact sets and contents that something refers to: what a copy brought that does not count may be left. */
const referred = {
  values: ` WHERE v.fact_set IN (SELECT x.fact_set FROM content_results x JOIN reports r ON r.content = x.content)`,
  elementValues: ` WHERE f.id IN (SELECT x.fact_set FROM content_results x JOIN reports r ON r.content = x.content)`,
  factSets: ` WHERE id IN (SELECT x.fact_set FROM content_results x JOIN reports r ON r.content = x.content)`,
  contents: ' WHERE c.id IN (SELECT r.content FROM reports r)',
};

export async function dumpSqlite(file: string): Promise<Dump> {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return await dump(async (statement) => db.prepare(statement).all());
  } finally {
    db.close();
  }
}

export async function dumpPostgres(url: string, schema: string): Promise<Dump> {
  return dump((statement) => runSql(`${url}?options=-csearch_path%3D${schema}`, statement));
}

async function dump(ask: Ask): Promise<Dump> {
  const entries: [string, string[]][] = [];
  for (const [name, question] of Object.entries(questions)) {
    const rows = await ask(question + (referred[name as keyof typeof referred] ?? ''));
    entries.push([
      name,
      rows
        .map(unpacked)
        .map((row) => JSON.stringify(row, plain))
        .sort(),
    ]);
  }
  return Object.fromEntries(entries);
}

/** Long facts are compressed, perhaps by another version of what does it. */
function unpacked({ packed, ...row }: Record<string, unknown>): Record<string, unknown> {
  return packed instanceof Uint8Array ? { ...row, json: textOfFacts({ facts: null, packed }) } : row;
}

/** Values as JSON in one form, whatever the dialect gives. */
function plain(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (key === 'json') return canonicalJson(JSON.parse(String(value)));
  if (typeof value === 'string' && /^\d+$/.test(value) && !['text', 'item', 'parent'].includes(key))
    return Number(value);
  const given = (this as Record<string, unknown>)[key];
  if (given instanceof Uint8Array) return Buffer.from(given).toString('hex');
  if ((key === 'report' || key === 'host') && typeof value === 'string') return value.replaceAll('-', '');
  return value;
}
