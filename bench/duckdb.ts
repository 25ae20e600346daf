/**
 * duckdb: the peer of the index: the same reports as plain NDJSON, which DuckDB reads anew for each question.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { encodeReport } from '../api/log/segment.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { makeFleet } from './fleet.ts';

export type DuckdbPeer = {
  /** Runs a query over the view `reports`. */
  ask(sql: string): Promise<unknown>;
  close(): void;
};

export type NdjsonFile = {
  hosts: number;
  reports: number;
  intervalSeconds: number;
  /** As in filled-index.ts. */
  keep: string | null;
};

export async function openDuckdbPeer(asked: NdjsonFile): Promise<DuckdbPeer> {
  const file = await ndjsonFile(asked);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`CREATE VIEW reports AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {
    id: 'UUID', host: 'STRUCT(id UUID, name VARCHAR, labels JSON)', collectedAt: 'TIMESTAMP', receivedAt: 'TIMESTAMP',
    results: 'STRUCT(plugin VARCHAR, status VARCHAR, facts JSON, readings JSON)[]' })`);
  return {
    ask: (sql) => connection.runAndReadAll(sql),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

const linesAtOnce = 1_000;

async function ndjsonFile({ hosts, reports, intervalSeconds, keep }: NdjsonFile): Promise<string> {
  const name = `${reports}-reports-${hosts}-hosts-${intervalSeconds}s.ndjson`;
  if (keep) await mkdir(keep, { recursive: true });
  const file = join(keep ?? (await temporaryFolder()), name);
  if (existsSync(file)) return file;
  const handle = await open(`${file}.part`, 'w');
  let lines: string[] = [];
  const flush = async () => {
    await handle.write(lines.join(''));
    lines = [];
  };
  for (const report of makeFleet({ hosts, intervalSeconds }).next(reports)) {
    lines.push(`${encodeReport(report).line}\n`);
    if (lines.length === linesAtOnce) await flush();
  }
  await flush();
  await handle.close();
  await rename(`${file}.part`, file);
  return file;
}
