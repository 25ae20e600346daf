import { expect, test } from 'vitest';
import { makeFleet } from '../../bench/fleet.ts';
import { madeUpHistory } from '../../test/support/histories.ts';
import { seededRandom } from '../../test/support/noise.ts';
import { result, storedReport } from '../../test/support/reports.ts';
import type { StoredReport } from '../log/stored-report.ts';
import { hostPlugin, makeDigester } from './digest.ts';

const key = 'reports/date=2026-05-01/hour=10/x.ndjson.zst';
const lineOf = (report: StoredReport) => JSON.stringify(report);

/** The digests of lines, of which each that can be is recognised by an earlier one. */
function recognising(lines: readonly string[]) {
  const digester = makeDigester(1000);
  return lines.map((line) => {
    const digest = digester.digest([{ key, lines: [line] }], 'new');
    digester.delivered(digest);
    return digest;
  });
}

test('a line says the same whether it is recognised, parsed or was never written', () => {
  const reports = [1, 2, 3].flatMap((seed) => madeUpHistory(seededRandom(seed), 150));
  const { digest } = makeDigester(0);
  const recognised = recognising(reports.map(lineOf));
  for (const [index, report] of reports.entries()) {
    expect(recognised[index]?.segments).toEqual(digest([{ key, reports: [report] }], 'all').segments);
  }
  // Else it would not have been worth it: most bodies were left out.
  const withBody = recognised.filter(({ contents }) => contents.size > 0);
  expect(withBody.length).toBeLessThan(reports.length);
  expect(withBody.length).toBeGreaterThan(10);
});

test('a damaged line says what it says when it is parsed, or is no report, whatever came before', () => {
  const fleet = makeFleet({ hosts: 3 });
  const lines = Array.from({ length: 12 }, (_, index) =>
    lineOf(fleet.report(index % 3, Math.floor(index / 3))),
  );
  const digester = makeDigester(1000);
  digester.delivered(digester.digest([{ key, lines }], 'new'));
  const random = seededRandom(4);
  const pieces = [
    '"',
    ',',
    '{',
    '}',
    '0',
    '1e9',
    '-0',
    '1.50',
    'null',
    'true',
    ' ',
    '\\',
    '\u0001',
    'é',
    ':',
  ];
  const attempt = (work: () => unknown) => {
    try {
      return work();
    } catch (cause) {
      return (cause as { kind?: string }).kind;
    }
  };
  let recognised = 0;
  for (let round = 0; round < 4_000; round += 1) {
    const line = lines[Math.floor(random() * lines.length)] ?? '';
    const at = Math.floor(random() * line.length);
    const piece = pieces[Math.floor(random() * pieces.length)] ?? '';
    const damaged = line.slice(0, at) + piece + line.slice(at + Math.floor(random() * 3));
    const plain = attempt(() => makeDigester(0).digest([{ key, lines: [damaged] }], 'all').segments);
    const quick = attempt(() => {
      const digest = digester.digest([{ key, lines: [damaged] }], 'new');
      if (digest.contents.size === 0) recognised += 1;
      return digest.segments;
    });
    expect(quick, damaged).toEqual(plain);
  }
  expect(recognised).toBeGreaterThan(30);
});

test('equal facts are one fact set in whatever key order, and every plugin has its own', () => {
  const { digest } = makeDigester(0);
  const reports = [
    storedReport({ results: [result('os', { a: 1, b: { c: 2, d: 3 } }), result('cpu', { a: 1 })] }),
    storedReport({ results: [result('os', { b: { d: 3, c: 2 }, a: 1 }), result('rack', { a: 1 })] }),
  ];
  expect([...digest([{ key, reports }], 'all').factSets.values()].map(({ plugin }) => plugin)).toEqual([
    'os',
    'cpu',
    // What both say of their host.
    hostPlugin,
    'rack',
  ]);
});

test('bodies that were delivered are left out until all are asked for', () => {
  const { digest, delivered } = makeDigester(10);
  const reports = [storedReport({ results: [result('os', { kernel: '6.1' })] })];
  const first = digest([{ key, reports }], 'new');
  expect([first.contents.size, first.factSets.size]).toEqual([1, 2]);
  // Not delivered, so not left out.
  expect(digest([{ key, reports }], 'new').contents.size).toBe(1);
  delivered(first);
  expect(digest([{ key, reports }], 'new').contents.size).toBe(0);
  expect(digest([{ key, lines: reports.map(lineOf) }], 'all')).toEqual(first);
});

test('a line that is no report is named', () => {
  const { digest } = makeDigester(10);
  const lines = [lineOf(storedReport()), '{"format":1}'];
  expect(() => digest([{ key, lines }], 'new')).toThrow(/hour=10\/x.ndjson.zst line 2 is not a report/);
});
