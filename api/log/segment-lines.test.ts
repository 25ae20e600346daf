import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzipSync, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { result, storedReport } from '../../test/support/reports.ts';
import { decodeSegment, encodeReport, encodeSegment } from './segment.ts';
import { segmentKey } from './segment-key.ts';
import { decodeLines, encodeLines, textBytesOf } from './segment-lines.ts';
import { toldRange, toldTextBytes } from './text-size.ts';

const reports = [storedReport(), storedReport({ results: [result('os', { name: 'ü😀\n' })] })];
const key = segmentKey(reports);
const gzipKey = key.replace('.zst', '.gz');
const text = reports.map((report) => `${encodeReport(report).line}\n`).join('');

test('lines come back byte for byte, with what a merge goes by', async () => {
  for (const body of [await encodeSegment(reports.map(encodeReport)), zstdCompressSync(text)]) {
    const lines = await decodeLines(key, body);
    expect(lines.map(({ line }) => Buffer.from(line).toString())).toEqual(text.trimEnd().split('\n'));
    expect(lines.map(({ id, hostId, receivedAt }) => ({ id, hostId, receivedAt }))).toEqual(
      reports.map(({ id, host, receivedAt }) => ({
        id,
        hostId: host.id,
        receivedAt: Date.parse(receivedAt),
      })),
    );
    expect(lines.reduce((sum, line) => sum + textBytesOf(line), 0)).toBe(Buffer.byteLength(text));
  }
  expect(await decodeLines(gzipKey, gzipSync(text))).toHaveLength(2);
});

test('what is encoded here is a segment like any other, at any size', async () => {
  for (const facts of ['', randomBytes(100_000).toString('hex')]) {
    const all = reports.map((report) => ({ ...report, results: [result('any', facts)] }));
    const lines = await decodeLines(key, await encodeSegment(all.map(encodeReport)));
    for (const level of [1, 9]) {
      const body = await encodeLines(lines, level);
      expect((await decodeSegment(key, body)).reports).toEqual(all);
      expect(zstdDecompressSync(body).toString('utf8').endsWith('\n')).toBe(true);
    }
  }
});

test.each([
  ['cut short', () => zstdCompressSync(text).subarray(0, 40), /cannot be decompressed/],
  ['of another kind', () => gzipSync(text), /cannot be decompressed/],
  [
    'with a line that is no report',
    () => zstdCompressSync(`${text}{"format":1}\n`),
    /line 3 is not a report/,
  ],
])('a segment that is %s is CORRUPT by key', async (_what, body, message) => {
  const failure = { kind: 'CORRUPT', message: expect.stringMatching(message) };
  await expect(decodeLines(key, body())).rejects.toMatchObject(failure);
  await expect(decodeLines(key, body())).rejects.toThrow(key);
});

/** What one part of an object tells, as it is got from a bucket. */
function told(name: string, body: Uint8Array): number | null {
  const { start, end } = toldRange({ key: name, size: body.length });
  return toldTextBytes(name, body.subarray(start, end));
}

test('the size of the text stands in a few bytes of a segment', async () => {
  for (const size of [100, 255, 256, 300, 65_000, 66_000, 200_000, 5_000_000]) {
    const line = Buffer.alloc(size - 1, 'x');
    const body = await encodeLines([{ id: '', hostId: '', receivedAt: 0, line }], 3);
    expect(told(key, body), `${size} bytes`).toBe(size);
    expect(told(gzipKey, gzipSync(Buffer.alloc(size, 'x'))), `${size} bytes, gzip`).toBe(size);
  }
});

test('it is null where it is not told', async () => {
  // A stream does not know it beforehand.
  expect(told(key, await promisify(zstdCompress)(text))).toBeNull();
  for (const odd of [new Uint8Array(), Buffer.from('x'), Buffer.alloc(40, 'x')])
    expect(told(key, odd)).toBeNull();
  expect(told(gzipKey, Buffer.from('x'))).toBeNull();
});
