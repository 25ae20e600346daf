import { expect, test } from 'vitest';
import { seededRandom } from '../../test/support/noise.ts';
import { hostId } from '../../test/support/reports.ts';
import { isSegmentKey, keyBefore, segmentFolder, segmentKey } from './segment-key.ts';

const at = (number: number, receivedAt: string) => ({ id: hostId(number), receivedAt });
const three = [
  at(2, '2026-05-01T10:20:30.500Z'),
  at(1, '2026-05-01T10:20:30.456Z'),
  at(3, '2026-05-01T10:59:59.999Z'),
];
const gzip = 'reports/date=2026-05-01/hour=10/019de30d-df81-7d3b-9a2f-1c2d3e4f5a6b.ndjson.gz';

test('a name is the hour and instant of the first report received, and a hash of the reports', () => {
  // Fixed for ever: another version of the API must give the same reports the same name.
  expect(segmentKey(three)).toBe(
    'reports/date=2026-05-01/hour=10/019de30d-df78-7566-83f0-eabbb7685aab.ndjson.zst',
  );
});

test('the same reports have the same name, in any order and however often; others have another', () => {
  const name = segmentKey(three);
  expect(segmentKey([...three].reverse())).toBe(name);
  expect(segmentKey([...three, ...three])).toBe(name);
  expect(segmentKey(three.slice(0, 2))).not.toBe(name);
  // Another copy of the same report, without which two segments could overwrite each other's.
  expect(segmentKey([...three.slice(0, 2), at(3, '2026-05-01T10:59:59.998Z')])).not.toBe(name);
  expect(segmentKey([...three, at(4, '2026-05-01T10:59:59.999Z')])).not.toBe(name);
});

test('a partition is an hour of UTC', () => {
  expect(segmentFolder('2026-05-02T00:30:00+02:00')).toBe('reports/date=2026-05-01/hour=22/');
});

test.each([
  ['none', []],
  ['two hours', [at(1, '2026-05-01T10:59:59.999Z'), at(2, '2026-05-01T11:00:00.000Z')]],
  ['no instant', [at(1, 'yesterday'), at(2, '2026-05-01T11:00:00.000Z')]],
])('there is no name for reports of %s', (_what, reports) => {
  expect(() => segmentKey(reports)).toThrow(RangeError);
});

test('what is a segment is told by its name alone, in either compression', () => {
  const key = segmentKey(three);
  for (const name of [key, gzip]) expect(isSegmentKey(name), name).toBe(true);
  for (const other of [
    `${key}x`,
    `x${key}`,
    'reports/date=2026-05-01/hour=10/notes.txt',
    key.replace('-7', '-4'),
    key.replace('.zst', ''),
    key.replace('.zst', '.lz4'),
    key.replace('hour=10', 'hour=24'),
    key.replace('-05-', '-13-'),
  ]) {
    expect(isSegmentKey(other), other).toBe(false);
  }
});

test('listed after keyBefore of an instant are the segments from that instant on, and none of an earlier one', () => {
  const random = seededRandom(1);
  const hour = 60 * 60 * 1000;
  const start = Date.parse('2026-02-28T22:00:00Z');
  const instants = Array.from({ length: 100 }, () => start + Math.floor(random() * 4 * hour));
  const edges = [0, 1, 2, 3].flatMap((number) => [start + number * hour - 1, start + number * hour]);
  const all = [...instants, ...edges];
  for (const since of all) {
    for (const ms of all) {
      const key = segmentKey([at(Math.floor(random() * 1e9), new Date(ms).toISOString())]);
      expect(key > keyBefore(since), `${key} since ${since}`).toBe(ms >= since);
    }
  }
});

test('a segment of old whose name tells a time past its hour is not missed', () => {
  // It was named when it was put, a moment after its reports were received.
  const late = gzip.replace('019de30d-df81', '019de332-0781');
  expect(late > keyBefore(Date.parse('2026-05-01T10:59:59.999Z'))).toBe(true);
});

test('there is no instant before which a bucket cannot be listed', () => {
  expect(keyBefore(-1.5)).toBe('reports/date=1970-01-01/hour=00/00000000-0000');
});
