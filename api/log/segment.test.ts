import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { seededRandom } from '../../test/support/noise.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import { decodeSegment, encodeReport, encodeSegment } from './segment.ts';
import { parseStoredReport } from './stored-report.ts';

const key = 'reports/date=2026-05-01/hour=10/0198f3a0-0000-7000-8000-000000000001.ndjson.zst';
const gzipKey = key.replace('.zst', '.gz');

test('a segment is NDJSON, one whole report a line, that any tool can read', async () => {
  const reports = [storedReport(), storedReport({ results: [result('os', { name: 'line\nbreak  ü' })] })];
  const text = zstdDecompressSync(await encodeSegment(reports.map(encodeReport))).toString('utf8');
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(reports);
});

test('a segment decodes to what was encoded', async () => {
  const odd = { __proto__x: 1, nested: [[null, true, 1e300, -0.5, '\u2028']], '': {} };
  const reports = [storedReport({ results: [result('any', odd, { a: [] })] })];
  expect(await decodeSegment(key, await encodeSegment(reports.map(encodeReport)))).toEqual({ key, reports });
});

test.each([1, 3, 9])('a large one as well, at level %i', async (level) => {
  const random = seededRandom(level);
  const facts = () => ({ blob: Array.from({ length: 20 }, () => random()) });
  const reports = Array.from({ length: 3000 }, (_, number) =>
    storedReport({ id: hostId(number), results: [result('any', facts())] }),
  );
  const body = await encodeSegment(reports.map(encodeReport), level);
  expect(await decodeSegment(key, body)).toEqual({ key, reports });
});

const stored = (name: string) => readFileSync(new URL(`../../test/fixtures/stored/${name}`, import.meta.url));

test.each([
  ['format-1.ndjson.gz', gzipKey],
  ['format-1.ndjson.zst', key],
])('a sample of %s is read for ever', async (sample, name) => {
  const report = parseStoredReport(stored('format-1.ndjson').toString());
  expect(await decodeSegment(name, stored(sample))).toEqual({ key: name, reports: [report] });
});

test('lines may end as Windows ends them, or the last one not at all, and may be empty', async () => {
  const reports = [storedReport({ id: hostId(1) }), storedReport({ id: hostId(2) })];
  const text = `${JSON.stringify(reports[0])}\r\n\n${JSON.stringify(reports[1])}`;
  expect((await decodeSegment(gzipKey, gzipSync(text))).reports).toEqual(reports);
});

const cut = (body: Uint8Array) => body.subarray(0, body.length - 5);
/** Small in the bucket, and 600 MiB once it is decompressed. */
const bomb = (compress: (text: Uint8Array) => Uint8Array) =>
  Buffer.concat(new Array(600).fill(compress(Buffer.alloc(1024 * 1024))));
const line = `${JSON.stringify(storedReport())}\n`;

test.each([
  ['what is no gzip', gzipKey, Buffer.from('plain'), /cannot be decompressed/],
  ['what is no zstd', key, gzipSync(line), /cannot be decompressed/],
  ['gzip cut short', gzipKey, cut(gzipSync(line)), /cannot be decompressed/],
  ['zstd cut short', key, cut(zstdCompressSync(line)), /cannot be decompressed/],
  ['nothing at all', key, new Uint8Array(), /cannot be decompressed/],
  ['what is no JSON', key, zstdCompressSync('{"format":1\n'), /line 1 is not a report/],
  ['a format to come', key, zstdCompressSync(line.replace('"format":1', '"format":2')), /line 1/],
  ['a line that lacks something', key, zstdCompressSync(`${line}{"format":1}\n`), /line 2/],
  ['more than any segment holds', key, bomb(zstdCompressSync), /cannot be decomp/],
  ['the same in gzip', gzipKey, bomb(gzipSync), /cannot be decomp/],
])('%s is CORRUPT, by key and line', async (_what, name, body, message) => {
  const failure = await decodeSegment(name, body).catch((cause) => cause);
  expect(failure).toMatchObject({ kind: 'CORRUPT', message: expect.stringMatching(message) });
  expect(failure.message).toContain(name);
});

test('no flipped bit goes unnoticed', async () => {
  const reports = Array.from({ length: 20 }, () => storedReport());
  const body = await encodeSegment(reports.map(encodeReport));
  const random = seededRandom(1);
  for (let round = 0; round < 500; round += 1) {
    const damaged = Buffer.from(body);
    const at = Math.floor(random() * body.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    const outcome = await decodeSegment(key, damaged).catch((cause) => cause.kind);
    // A few bits of the frame's header mean nothing.
    if (outcome !== 'CORRUPT') expect(outcome).toEqual({ key, reports });
  }
});
