import { expect, test } from 'vitest';
import { agentReport, agentResult } from '../../test/support/agent-reports.ts';
import { damage, seededRandom } from '../../test/support/noise.ts';
import { DamagedEntryError, decodeEntry, encodeEntry, readHeader } from './spool-entry.ts';

const report = {
  ...agentReport(1_780_000_000_000, [agentResult('os', { kernel: '6.1.90', note: 'ünï\n😀' })]),
  droppedReports: 3,
};

test('a report is read as it was written, and its header says what it carries', () => {
  const entry = encodeEntry(report);
  const textBytes = Buffer.byteLength(JSON.stringify(report));
  expect(decodeEntry(entry)).toEqual({ report, textBytes });
  expect(readHeader(entry)).toMatchObject({ format: 1, droppedReports: 3, textBytes });
});

test('whatever is damaged is either known to be, or reads as it was written', () => {
  const entry = encodeEntry(report);
  const random = seededRandom(7);
  let known = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const damaged = Buffer.from(damage(entry, random));
    try {
      expect(decodeEntry(damaged).report).toEqual(report);
    } catch (error) {
      expect(error).toBeInstanceOf(DamagedEntryError);
      known += 1;
    }
  }
  expect(known).toBeGreaterThan(1_000);
});

test('one that is well formed is damaged all the same where its checksum is of another', () => {
  const [entry, other] = [report, { ...report, droppedReports: 4 }].map((one) =>
    encodeEntry(one).toString('latin1'),
  );
  const [, checksum = ''] = /"sha256":"(\w+)"/.exec(other ?? '') ?? [];
  const mixed = entry?.replace(/(?<="sha256":")\w+/, checksum) ?? '';
  expect(() => decodeEntry(Buffer.from(mixed, 'latin1'))).toThrow('its checksum is wrong');
});

test('an entry of a later format says so', () => {
  const entry = encodeEntry(report).toString('latin1').replace('"format":1', '"format":2');
  expect(() => decodeEntry(Buffer.from(entry, 'latin1'))).toThrow('format 1');
});
