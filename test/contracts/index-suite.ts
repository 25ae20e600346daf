/**
 * index-suite: what every dialect of the index does.
 */
import { expect, test } from 'vitest';
import type { ReportFilter } from '../../api/index/filter.ts';
import type { IndexStore, Listing, ReportOrderField } from '../../api/index/index-store.ts';
import { reportPosition } from '../../api/index/index-store.ts';
import { factSetHash } from '../../plugins/fact-set.ts';
import { madeUpHistory } from '../support/histories.ts';
import type { Dump } from '../support/index-dump.ts';
import { seededRandom } from '../support/noise.ts';
import { hostId, result, storedReport } from '../support/reports.ts';

const key = (number: number) =>
  `reports/date=2026-05-01/hour=10/0198f3a0-0000-7000-8000-${String(number).padStart(12, '0')}.ndjson.gz`;
const host = (number: number, name = `web-${number}`, labels = {}) => ({ id: hostId(number), name, labels });
const newest: Listing<ReportFilter, ReportOrderField> = {
  filter: null,
  order: { field: 'COLLECTED_AT', direction: 'DESC' },
};

export type OpenedIndex = {
  /** Empty, each time another one; knows the built-in plugins. */
  index: IndexStore;
  /** All that it tells, without its own numbers; the index stays open. */
  dump(): Promise<Dump>;
};

export function describeIndex(openOne: () => Promise<OpenedIndex>): void {
  const open = async () => (await openOne()).index;

  test.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'tells the same in whatever order and batches reports come (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const history = madeUpHistory(random, 60);
      const shuffled = history.toSorted(() => random() - 0.5);
      const [ordered, scattered] = [await openOne(), await openOne()];
      const byTime = history.toSorted((a, b) => (a.receivedAt < b.receivedAt ? -1 : 1));
      await ordered.index.apply([{ key: key(1), reports: byTime }]);
      for (let number = 1; shuffled.length > 0; number += 1) {
        const segments = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => ({
          key: key(number * 10 + index),
          reports: shuffled.splice(0, 1 + Math.floor(random() * 8)),
        }));
        await scattered.index.apply(segments);
      }
      expect(await scattered.dump()).toEqual(await ordered.dump());
      expect((await ordered.dump()).changes?.length).toBeGreaterThan(10);
    },
  );
  test('gives back a report as it was applied', async () => {
    const index = await open();
    const sent = { distribution: 'Debian', odd: { a: [1, null] } };
    const failed = { ...result('rack', null), status: 'ERROR' as const, version: null, error: 'no rack' };
    const report = storedReport({
      results: [result('os', sent, { uptimeSeconds: 5 }), failed],
      droppedReports: 3,
    });
    await index.apply([{ key: key(1), reports: [report] }]);
    expect((await index.reportsById([report.id]))[0]).toEqual({
      id: report.id,
      hostId: report.host.id,
      agentVersion: '0.1.0',
      droppedReports: 3,
      collectedAt: Date.parse(report.collectedAt),
      receivedAt: Date.parse(report.receivedAt),
      hostFacts: { name: 'web-1', labels: {}, agentVersion: '0.1.0', intervalSeconds: 60, clonedFrom: null },
      results: report.results,
    });
    expect(await index.reportsById([hostId(404), report.id])).toEqual([
      null,
      expect.objectContaining({ id: report.id }),
    ]);
  });

  test('readings that are no object of names are kept, and shift nothing', async () => {
    const index = await open();
    const odd = [false, 0, '', 'text', [], ['a'], {}, null, 5];
    const results = odd.map((readings, row) => result(`rack${row}`, { row }, readings));
    const report = storedReport({ results });
    await index.apply([{ key: key(1), reports: [report] }]);
    expect((await index.reportsById([report.id]))[0]?.results).toEqual(results);
  });

  test('applying again, by segment or by report, adds nothing', async () => {
    const index = await open();
    const reports = [storedReport(), storedReport()];
    await index.apply([{ key: key(1), reports }]);
    await index.apply([{ key: key(1), reports }]);
    await index.apply([{ key: key(2), reports }]);
    expect(await index.countReports(null)).toBe(2);
    expect(await index.appliedOf([key(1), key(2), key(3)])).toEqual(new Set([key(1), key(2)]));
  });

  test('remembers where the next catch-up begins', async () => {
    const index = await open();
    expect(await index.mark()).toBeNull();
    await index.setMark('reports/date=2026-05-01/hour=10/');
    await index.setMark('reports/date=2026-05-01/hour=11/');
    expect(await index.mark()).toBe('reports/date=2026-05-01/hour=11/');
  });

  test('a clock that was ahead once does not freeze a host', async () => {
    const index = await open();
    const at = (collectedAt: string, minute: number, name: string) =>
      storedReport({
        host: host(1, name),
        collectedAt,
        receivedAt: `2026-05-01T10:0${minute}:00.000Z`,
        results: [result('os', { distribution: name })],
      });
    const reports = [at('2099-01-01T00:00:00.000Z', 1, 'ahead'), at('2026-05-01T10:02:00.000Z', 2, 'right')];
    await index.apply([{ key: key(1), reports }]);
    expect((await index.hostsById([hostId(1)]))[0]?.name).toBe('right');
    expect((await index.latestResults([hostId(1)], null))[0]).toMatchObject([
      { facts: { distribution: 'right' } },
    ]);
    // What it told is kept as it told it.
    expect((await index.reportsById([reports[0]?.id ?? '']))[0]?.collectedAt).toBe(
      Date.parse('2099-01-01T00:00:00Z'),
    );
  });

  test('a segment is applied whole or not at all', async () => {
    const index = await open();
    const broken = { ...storedReport(), results: [result('os', {}), { ...result('os', {}), status: null }] };
    await expect(
      index.apply([{ key: key(1), reports: [storedReport(), broken as never] }]),
    ).rejects.toThrow();
    expect(await index.countReports(null)).toBe(0);
    expect(await index.appliedOf([key(1)])).toEqual(new Set());
    await index.apply([{ key: key(1), reports: [storedReport()] }]);
    expect(await index.countReports(null)).toBe(1);
  });

  test('a host is as its newest report by its own clock says, in whatever order reports arrive', async () => {
    const index = await open();
    const at = (hour: number, name: string) =>
      storedReport({
        host: host(1, name, { hour: String(hour) }),
        collectedAt: `2026-05-01T0${hour}:00:00.000Z`,
        receivedAt: `2026-05-02T0${9 - hour}:00:00.000Z`,
        results: [result('os', { distribution: name })],
      });
    for (const [number, report] of [at(5, 'middle'), at(7, 'newest'), at(3, 'oldest')].entries()) {
      await index.apply([{ key: key(number), reports: [report] }]);
    }
    const [row] = await index.hostsById([hostId(1)]);
    expect(row).toMatchObject({
      name: 'newest',
      labels: { hour: '7' },
      firstSeenAt: Date.parse('2026-05-02T02:00:00Z'),
      lastSeenAt: Date.parse('2026-05-02T06:00:00Z'),
    });
    expect(await index.latestResults([hostId(1), hostId(2)], null)).toEqual([
      [expect.objectContaining({ plugin: 'os', facts: { distribution: 'newest' } })],
      [],
    ]);
  });

  test('the latest result of a plugin is its newest successful one', async () => {
    const index = await open();
    const at = (minute: number, results: ReturnType<typeof result>[]) =>
      storedReport({ collectedAt: `2026-05-01T10:0${minute}:00.000Z`, results });
    const reports = [
      at(0, [result('os', { distribution: 'Debian' }), result('cpu', { threads: 2 })]),
      at(1, [{ ...result('os', null), status: 'TIMEOUT' }, result('cpu', { threads: 4 })]),
    ];
    await index.apply([{ key: key(1), reports }]);
    const [latest] = await index.latestResults([hostId(1)], null);
    expect(latest?.map(({ plugin, facts }) => [plugin, facts])).toEqual([
      ['cpu', { threads: 4 }],
      ['os', { distribution: 'Debian' }],
    ]);
  });

  test('lists from both ends, between two places, in both directions', async () => {
    const index = await open();
    // Three share each instant, so that only ids tell them apart.
    const reports = Array.from({ length: 12 }, (_, number) =>
      storedReport({ collectedAt: `2026-05-01T10:0${Math.floor(number / 3)}:00.000Z` }),
    );
    await index.apply([{ key: key(1), reports }]);
    for (const direction of ['ASC', 'DESC'] as const) {
      const listing = { filter: null, order: { field: 'COLLECTED_AT', direction } } as const;
      const all = await index.reports(listing, { limit: 100 });
      const ids = all.map(({ id }) => id);
      const expected = reports.map((report) => [report.collectedAt, report.id].join()).toSorted();
      if (direction === 'DESC') expected.reverse();
      expect(ids).toEqual(expected.map((text) => text.split(',')[1]));
      const place = (position: number) => reportPosition(all.at(position) as (typeof all)[0], 'COLLECTED_AT');
      const slices = [
        [{ after: place(4), limit: 3 }, ids.slice(5, 8)],
        [{ before: place(4), limit: 3 }, ids.slice(0, 3)],
        [{ before: place(4), limit: 3, fromEnd: true }, ids.slice(1, 4)],
        [{ after: place(2), before: place(9), limit: 100 }, ids.slice(3, 9)],
        [{ limit: 2, fromEnd: true }, ids.slice(-2)],
        [{ after: place(-1), limit: 5 }, []],
      ] as const;
      for (const [slice, expectedIds] of slices) {
        expect((await index.reports(listing, slice)).map(({ id }) => id)).toEqual(expectedIds);
      }
    }
  });

  test('what a plugin said is stored once, however often and in whatever key order', async () => {
    const index = await open();
    const reports = [
      storedReport({ results: [result('os', { distribution: 'Debian', kernel: '6.1' })] }),
      storedReport({ results: [result('os', { kernel: '6.1', distribution: 'Debian' })] }),
    ];
    await index.apply([{ key: key(1), reports }]);
    const rows = await index.reports(newest, { limit: 10 });
    // The first form stands for both.
    expect(rows.map((row) => JSON.stringify(row.results[0]?.facts))).toEqual(
      Array(2).fill('{"distribution":"Debian","kernel":"6.1"}'),
    );
  });

  test('facts by their hash are those that this very host has told, whoever else has', async () => {
    const index = await open();
    const [one, two] = [{ model: 'EPYC' }, { model: 'Xeon', odd: ['\0', null] }];
    const reports = [
      storedReport({ host: host(1), results: [result('cpu', one)] }),
      storedReport({ host: host(1), results: [result('cpu', two)] }),
      storedReport({ host: host(2), results: [result('cpu', one)] }),
    ];
    await index.apply([{ key: key(1), reports }]);
    const asked = [1, 2, 3].flatMap((number) =>
      [one, two, {}].map((facts) => ({ hostId: hostId(number), hash: factSetHash('cpu', facts) })),
    );
    const told = (await index.hostFacts(asked)).map((text) => (text === null ? null : JSON.parse(text)));
    expect(told).toEqual([one, two, null, one, null, null, null, null, null]);
    expect(await index.hostFacts([])).toEqual([]);
  });
  test('a merged segment takes the place of its sources, if all of them were applied', async () => {
    const index = await open();
    await index.apply([{ key: key(1), reports: [storedReport()] }]);
    await index.apply([{ key: key(2), reports: [storedReport()] }]);
    await index.replaced([key(8)], [key(1), key(7)]);
    const all = [key(1), key(2), key(7), key(8), key(9)];
    expect(await index.appliedOf(all)).toEqual(new Set([key(1), key(2)]));
    await index.replaced([key(9), key(2)], [key(1), key(2)]);
    expect(await index.appliedOf(all)).toEqual(new Set([key(2), key(9)]));
  });

  test('forgets what was received before an instant, and what only that told', async () => {
    const { index, dump } = await openOne();
    const history = madeUpHistory(seededRandom(5), 80);
    await index.apply([{ key: key(1), reports: history }]);
    const before = Date.parse('2026-05-01T00:00:40Z');
    const ids = new Set(history.map(({ id }) => id));
    // Of several copies the first one counts.
    const kept = [...ids].filter((id) => {
      const received = history.filter((report) => report.id === id).map((report) => report.receivedAt);
      return Date.parse(received.sort()[0] ?? '') >= before;
    });
    expect(await index.forget(before)).toBe(ids.size - kept.length);
    expect(kept.length).toBeGreaterThan(10);
    expect(await index.countReports(null)).toBe(kept.length);
    expect(await index.forget(before)).toBe(0);

    // All that is left is what these reports would have told by themselves, but for when it began.
    const alone = await openOne();
    const keptReports = history.filter(({ id }) => kept.includes(id));
    await alone.index.apply([{ key: key(1), reports: keptReports }]);
    const [left, fresh] = [await dump(), await alone.dump()];
    for (const name of ['reports', 'contents', 'factSets', 'values', 'hostPlugins']) {
      expect(left[name], name).toEqual(fresh[name]);
    }
    // And it goes on from there.
    const more = madeUpHistory(seededRandom(6), 20);
    await index.apply([{ key: key(2), reports: more }]);
    expect(await index.countReports(null)).toBe(kept.length + new Set(more.map(({ id }) => id)).size);

    await index.forget(Date.parse('2027-01-01T00:00:00Z'));
    expect(Object.values(await dump()).flat()).toEqual([]);
  });

  test('text that a database cannot hold does no harm', async () => {
    const index = await open();
    const odd = 'a\0b\ud800c';
    const report = storedReport({
      host: host(1, odd, { [odd]: odd }),
      results: [{ ...result('os', { distribution: odd, [odd]: odd }, { [odd]: odd }), error: odd }],
    });
    await index.apply([{ key: key(1), reports: [report] }]);
    const [row] = await index.reports(newest, { limit: 1 });
    expect(row?.results[0]?.error).toContain('a\ufffdb');
    const long = 'x'.repeat(5_000);
    const other = storedReport({ results: [result('os', { distribution: long })] });
    await index.apply([{ key: key(2), reports: [other] }]);
    const asked = (value: string) =>
      index.countReports({
        kind: 'facts',
        plugin: 'os',
        conditions: [
          { kind: 'value', path: 'os.distribution', column: 'text', tests: [{ op: 'eq', value }] },
        ],
      });
    expect(await asked(long)).toBe(1);
    expect(await asked(long.slice(1))).toBe(0);
  });

  test.each([6, 150])('finds the reports of %i hosts as it finds those of others', async (hosts) => {
    const index = await open();
    const random = seededRandom(3);
    // Some of them from clocks that are ahead, some told long ago, each host name told by one host.
    const isAhead = (of: number) => of % (hosts === 6 ? 2 : 50) === 1;
    const reports = Array.from({ length: 300 }, (_, number) => {
      const at = Date.parse('2026-05-01T00:00:00Z') + number * 1000;
      const of = Math.floor(random() * hosts);
      return storedReport({
        host: host(of),
        collectedAt: new Date(at + (isAhead(of) ? 7_200_000 : 0)).toISOString(),
        receivedAt: new Date(at + Math.floor(random() * 5) * 1000).toISOString(),
        results: [result('os', { distribution: `d${Math.floor(number / 100)}`, hostname: `h${of}` })],
      });
    });
    await index.apply([{ key: key(1), reports }]);
    const facts = (path: string, value: string): ReportFilter => ({
      kind: 'facts',
      plugin: 'os',
      conditions: [{ kind: 'value', path, column: 'text', tests: [{ op: 'eq', value }] }],
    });
    for (const direction of ['ASC', 'DESC'] as const) {
      for (const field of ['COLLECTED_AT', 'RECEIVED_AT'] as const) {
        const told = (report: (typeof reports)[0]) =>
          Date.parse(field === 'COLLECTED_AT' ? report.collectedAt : report.receivedAt);
        const sorted = reports.toSorted((a, b) => told(a) - told(b) || (a.id < b.id ? -1 : 1));
        if (direction === 'DESC') sorted.reverse();
        for (const distribution of ['d0', 'd1', 'd2']) {
          const listing = { filter: facts('os.distribution', distribution), order: { field, direction } };
          const expected = sorted.filter(
            ({ results }) => Object(results[0]?.facts).distribution === distribution,
          );
          const ids = expected.map(({ id }) => id);
          const found = await index.reports(listing, { limit: 1000 });
          expect(found.map(({ id }) => id)).toEqual(ids);
          const place = reportPosition(found[40] as (typeof found)[0], field);
          for (const [slice, page] of [
            [{ limit: 10 }, ids.slice(0, 10)],
            [{ limit: 10, after: place }, ids.slice(41, 51)],
            [{ limit: 10, before: place, fromEnd: true }, ids.slice(30, 40)],
          ] as const) {
            expect((await index.reports(listing, slice)).map(({ id }) => id)).toEqual(page);
          }
          expect(await index.countReports(listing.filter)).toBe(ids.length);
          // Together they are rarer than each.
          const both = { kind: 'and', filters: [listing.filter, facts('os.hostname', 'h3')] } as const;
          const ofBoth = expected.filter(({ results }) => Object(results[0]?.facts).hostname === 'h3');
          expect(
            (await index.reports({ ...listing, filter: both }, { limit: 5 })).map(({ id }) => id),
          ).toEqual(ofBoth.slice(0, 5).map(({ id }) => id));
        }
      }
    }
  });
}
