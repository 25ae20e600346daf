/** The bucket is read by others without us: the query of the README, by DuckDB itself. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { english, inLanguage } from '../../test/support/documents.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { openFolderBucket } from '../bucket/folder-bucket.ts';
import { openLog } from './log.ts';
import { encodeReport } from './segment.ts';
import { segmentKey } from './segment-key.ts';
import type { StoredReport } from './stored-report.ts';

const report = (host: number, receivedAt: string, distribution: string, utilization: number | null) =>
  storedReport({
    host: { id: hostId(host), name: `web-${host}`, labels: {} },
    receivedAt,
    results: [
      result('os', { distribution }),
      // As from a host that cannot tell.
      ...(utilization === null ? [] : [result('cpu', null, { utilization })]),
    ],
  });

const debian = 'Debian GNU/Linux';
const kylin = 'Kylin 麒麟';
const resent = report(1, '2026-05-01T10:00:01.000Z', debian, 0.5);
const reports = [
  resent,
  report(1, '2026-05-01T10:00:02.000Z', debian, 0.25),
  report(2, '2026-05-01T23:59:59.999Z', debian, 0.75),
  report(3, '2026-05-01T23:59:59.999Z', kylin, null),
  report(1, '2026-05-02T00:00:00.000Z', debian, 0.125),
  report(3, '2026-05-02T00:00:00.000Z', kylin, 1),
  { ...report(1, '2026-05-02T00:30:00.000Z', kylin, 1), id: resent.id },
];
const fromOlderVersion = [report(4, '2026-05-01T08:00:00.000Z', debian, 1)];

async function writeBucket(folder: string): Promise<string[]> {
  const bucket = await openFolderBucket(folder);
  const log = openLog({ bucket, onSegment: async () => {} });
  await Promise.all(reports.map((each) => log.append(each)));
  await log.close();
  const key = segmentKey(fromOlderVersion).replace('.zst', '.gz');
  await bucket.put(key, gzipSync(fromOlderVersion.map(lineOf).join('')));
  return await Array.fromAsync(bucket.list(), (object) => object.key);
}

const lineOf = (stored: StoredReport) => `${encodeReport(stored).line}\n`;

test('the query of the README reads a bucket of either compression, and counts each report once', async () => {
  const folder = join(await temporaryFolder(), 'bucket');
  const keys = await writeBucket(folder);
  expect(new Set(keys.map((key) => key.slice(key.lastIndexOf('.'))))).toEqual(new Set(['.gz', '.zst']));

  const [sql] = inLanguage('sql').filter(({ file, text }) => file === english && text.includes('read_json'));
  // Whatever it needs must be in it: nothing is fetched, and nothing loaded from the machine.
  const duckdb = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await duckdb.connect();
  const answer = await connection.runAndReadAll(sql?.text.replace('data/bucket', folder) ?? '');
  expect(answer.getRowObjectsJson()).toEqual([
    { date: '2026-05-01', distribution: debian, hosts: '3', utilization: 0.625 },
    { date: '2026-05-01', distribution: kylin, hosts: '1', utilization: null },
    { date: '2026-05-02', distribution: debian, hosts: '1', utilization: 0.125 },
    { date: '2026-05-02', distribution: kylin, hosts: '1', utilization: 1 },
  ]);
  connection.closeSync();
  duckdb.closeSync();
});
