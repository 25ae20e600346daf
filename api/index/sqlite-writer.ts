/**
 * sqlite-writer: applies segments to the SQLite index.
 *
 * One transaction a segment, its key included, so that a segment is in the index whole or not at all.
 */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AnyPlugin } from '../../plugins/plugin.ts';
import type { Segment } from '../log/segment.ts';
import type { StoredReport, StoredResult } from '../log/stored-report.ts';
import { factSetHash } from './fact-set.ts';
import { flattenFacts } from './flatten.ts';

export type SqliteWriter = {
  apply(segment: Segment): void;
};

export function sqliteWriter(db: DatabaseSync, plugins: readonly AnyPlugin[]): SqliteWriter {
  const known = new Map(plugins.map((plugin) => [plugin.name, plugin]));

  const insertSegment = db.prepare('INSERT OR IGNORE INTO segments (key) VALUES (?)');
  const insertReport = db.prepare(`
    INSERT OR IGNORE INTO reports (id, host_id, agent_version, collected_at, received_at) VALUES (?, ?, ?, ?, ?)`);
  const upsertHost = db.prepare(`
    INSERT INTO hosts VALUES (:id, :name, :labels, :agentVersion, :interval, :receivedAt, :receivedAt, :toldAt, :report)
    ON CONFLICT (id) DO UPDATE SET
      first_seen_at = min(first_seen_at, :receivedAt), last_seen_at = max(last_seen_at, :receivedAt)`);
  // What describes the host is from its newest report; a late one only widens when it was seen.
  const describeHost = db.prepare(`
    UPDATE hosts SET name = :name, labels = :labels, agent_version = :agentVersion, interval_seconds = :interval,
      newest_told_at = :toldAt, newest_report = :report
    WHERE id = :id AND (newest_told_at, newest_report) < (:toldAt, :report)`);
  const insertResult = db.prepare('INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const upsertLatest = db.prepare(`
    INSERT INTO latest_results VALUES (:host, :plugin, :toldAt, :id, :report, :position)
    ON CONFLICT (host_id, plugin) DO UPDATE SET
      told_at = :toldAt, report_id = :id, report = :report, position = :position
      WHERE (:toldAt, :id) > (told_at, report_id)`);
  const findFactSet = db.prepare('SELECT id FROM fact_sets WHERE hash = ?');
  const insertFactSet = db.prepare('INSERT INTO fact_sets (hash, plugin, facts) VALUES (?, ?, ?)');
  const insertValue = db.prepare('INSERT INTO fact_values VALUES (?, ?, ?, ?, ?, ?)');

  function transaction(work: () => void): void {
    db.exec('BEGIN IMMEDIATE');
    try {
      work();
      db.exec('COMMIT');
    } catch (cause) {
      // After some errors, such as a full disk, SQLite has rolled back already.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw cause;
    }
  }

  function applyReport(report: StoredReport): void {
    const collectedAt = Date.parse(report.collectedAt);
    const receivedAt = Date.parse(report.receivedAt);
    // A clock that runs ahead must not make one report the newest for years.
    const toldAt = Math.min(collectedAt, receivedAt);
    const { changes, lastInsertRowid } = insertReport.run(
      report.id,
      report.host.id,
      report.agentVersion,
      collectedAt,
      receivedAt,
    );
    if (changes === 0) return;
    const description = {
      ':id': report.host.id,
      ':name': report.host.name,
      ':labels': JSON.stringify(report.host.labels),
      ':agentVersion': report.agentVersion,
      ':interval': report.intervalSeconds,
      ':toldAt': toldAt,
      ':report': report.id,
    };
    upsertHost.run({ ...description, ':receivedAt': receivedAt });
    describeHost.run(description);
    const seq = Number(lastInsertRowid);
    for (const [position, result] of report.results.entries()) {
      applyResult(seq, position, result);
      if (result.status !== 'OK') continue;
      upsertLatest.run({
        ':host': report.host.id,
        ':plugin': result.plugin,
        ':toldAt': toldAt,
        ':id': report.id,
        ':report': seq,
        ':position': position,
      });
    }
  }

  function applyResult(report: number, position: number, result: StoredResult): void {
    const { plugin, version, status, durationMs, error, facts, readings } = result;
    const factSet = isNothing(facts) ? null : factSetOf(plugin, facts);
    const readingsText = isNothing(readings) ? null : JSON.stringify(readings);
    insertResult.run(report, position, plugin, version, status, durationMs, error, factSet, readingsText);
  }

  function factSetOf(plugin: string, facts: unknown): number {
    const hash = factSetHash(plugin, facts);
    const found = findFactSet.get(hash);
    if (found) return Number(found.id);
    const id = Number(insertFactSet.run(hash, plugin, JSON.stringify(facts)).lastInsertRowid);
    flatten(id, known.get(plugin), facts);
    return id;
  }

  function flatten(factSet: number, plugin: AnyPlugin | undefined, facts: unknown): void {
    if (!plugin) return;
    for (const { path, item, parent, text, number } of flattenFacts(plugin, facts)) {
      insertValue.run(factSet, path, item, parent, text, number);
    }
  }

  /** Compares anew what is stored of plugins whose declaration is not the one it was taken apart with. */
  function followDeclarations(): void {
    const before = new Map(
      db
        .prepare('SELECT name, declaration FROM plugins')
        .all()
        .map((row) => [row.name, row.declaration]),
    );
    const remember = db.prepare('INSERT OR REPLACE INTO plugins VALUES (?, ?)');
    const clear = db.prepare(
      'DELETE FROM fact_values WHERE fact_set IN (SELECT id FROM fact_sets WHERE plugin = ?)',
    );
    const factSets = db.prepare('SELECT id, facts FROM fact_sets WHERE plugin = ?');
    // What comes in while a plugin is not known is not taken apart: when it returns, all of it has to be.
    const forget = db.prepare('DELETE FROM plugins WHERE name = ?');
    for (const name of before.keys()) if (!known.has(String(name))) forget.run(String(name));
    for (const plugin of plugins) {
      const declaration = declarationOf(plugin);
      if (before.get(plugin.name) === declaration) continue;
      clear.run(plugin.name);
      for (const row of factSets.all(plugin.name)) {
        flatten(Number(row.id), plugin, JSON.parse(String(row.facts)));
      }
      remember.run(plugin.name, declaration);
    }
  }

  transaction(followDeclarations);

  return {
    apply(segment) {
      transaction(() => {
        if (insertSegment.run(segment.key).changes === 0) return;
        for (const report of segment.reports) applyReport(report);
      });
    },
  };
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}

function declarationOf(plugin: AnyPlugin): string {
  return createHash('sha256').update(JSON.stringify(plugin.facts)).digest('base64url');
}
