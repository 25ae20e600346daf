import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { result, storedReport } from '../../test/support/reports.ts';
import { decodeSegment, encodeReport, encodeSegment } from './segment.ts';
import { isSegmentKey, segmentFolder, segmentKey } from './segment-key.ts';

const uuid = '0198f3a0-0000-7000-8000-000000000001';
const key = segmentKey('2026-05-01T10:59:59.999Z', uuid);

test('a segment is NDJSON, one whole report a line, that any tool can read', async () => {
  const reports = [storedReport(), storedReport({ results: [result('os', { name: 'line\nbreak  ü' })] })];
  const text = gunzipSync(await encodeSegment(reports.map(encodeReport))).toString('utf8');
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(reports);
});

test('a segment decodes to what was encoded', async () => {
  const odd = { __proto__x: 1, nested: [[null, true, 1e300, -0.5, '\u2028']], '': {} };
  const reports = [storedReport({ results: [result('any', odd, { a: [] })] })];
  expect(await decodeSegment(key, await encodeSegment(reports.map(encodeReport)))).toEqual({ key, reports });
});

test('keys are partitions by the time received, in UTC, and sort by time', () => {
  expect(key).toBe(`reports/date=2026-05-01/hour=10/${uuid}.ndjson.gz`);
  expect(segmentFolder('2026-05-02T00:30:00+02:00')).toBe('reports/date=2026-05-01/hour=22/');
  expect(isSegmentKey(key)).toBe(true);
  for (const other of [
    `${key}x`,
    `x${key}`,
    'reports/date=2026-05-01/hour=10/notes.txt',
    key.replace('-7', '-4'),
  ]) {
    expect(isSegmentKey(other), other).toBe(false);
  }
});

test.each([
  ['what is no gzip', Buffer.from('plain'), /cannot be decompressed/],
  ['gzip cut short', gzipSync('{"a":1}\n').subarray(0, 12), /cannot be decompressed/],
  ['what is no JSON', gzipSync('{"format":1\n'), /line 1 is not a report/],
  [
    'a report of a format to come',
    gzipSync(`${JSON.stringify({ ...storedReport(), format: 2 })}\n`),
    /line 1/,
  ],
  ['a line that lacks something', gzipSync(`${JSON.stringify(storedReport())}\n{"format":1}\n`), /line 2/],
])('%s is CORRUPT, by key and line', async (_what, body, message) => {
  await expect(decodeSegment(key, body)).rejects.toMatchObject({
    kind: 'CORRUPT',
    message: expect.stringMatching(message),
  });
  await expect(decodeSegment(key, body)).rejects.toThrow(key);
});
