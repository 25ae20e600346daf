/**
 * duckdb: the peer of the index: the same reports as plain NDJSON, which DuckDB reads anew for each question.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { encodeReport, type Segment } from '../api/log/segment.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

export type DuckdbPeer = {
  add(segment: Segment): Promise<void>;
  /** Runs a query over the view `reports`. */
  ask(sql: string): Promise<unknown>;
  close(): Promise<void>;
};

export async function openDuckdbPeer(): Promise<DuckdbPeer> {
  const file = join(await temporaryFolder(), 'reports.ndjson');
  const handle = await open(file, 'w');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`CREATE VIEW reports AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {
    id: 'UUID', host: 'STRUCT(id UUID, name VARCHAR, labels JSON)', collectedAt: 'TIMESTAMP', receivedAt: 'TIMESTAMP',
    results: 'STRUCT(plugin VARCHAR, status VARCHAR, facts JSON, readings JSON)[]' })`);
  return {
    async add({ reports }) {
      const lines = reports.map((report) => `${encodeReport(report).line}\n`).join('');
      await handle.write(lines);
    },
    ask: (sql) => connection.runAndReadAll(sql),
    async close() {
      connection.closeSync();
      instance.closeSync();
      await handle.close();
    },
  };
}
