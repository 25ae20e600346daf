/** What no query of the schema asks of a narrowed index, and what it is made of; test/narrowing.test.ts has the rest. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { factSetHash } from '../../plugins/fact-set.ts';
import { openTestApi } from '../../test/support/api.ts';
import { type CountedIndex, openCountedIndex } from '../../test/support/counted-index.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import { readerMethods } from '../index/reader-methods.ts';
import type { Narrowing } from './identity.ts';
import { narrowedReader } from './narrowed-reader.ts';
import { isWithin, narrowingKey } from './narrowing.ts';

const ofHost = { hostId: hostId(1), labels: null };
const ofTeam = { hostId: null, labels: { team: 'a' } };
const facts = (host: number) => ({ kernel: `6.1.${host}` });
const hash = (host: number) => factSetHash('os', facts(host));

describe('a narrowed reader', () => {
  let counted: CountedIndex;
  beforeAll(async () => {
    const api = await openTestApi();
    await api.deliver(
      [1, 2].map((host) =>
        storedReport({
          host: { id: hostId(host), name: `web-${host}`, labels: host === 1 ? { team: 'a' } : {} },
          results: [result('os', facts(host))],
        }),
      ),
    );
    counted = openCountedIndex(join(api.folder, 'index.db'));
    return () => counted.close();
  });

  test('has every question of the index', () => {
    const reader = narrowedReader(counted.index, ofTeam);
    expect(Object.keys(reader).sort()).toEqual(Object.keys(readerMethods).sort());
  });

  test.each([
    ['a host', ofHost],
    ['labels', ofTeam],
  ])('to %s gives no facts of others by their hash', async (_what, narrowing) => {
    const reader = narrowedReader(counted.index, narrowing);
    const asked = [1, 2, 3].map((host) => ({ hostId: hostId(host), hash: hash(host) }));
    expect(await counted.index.hostFacts(asked)).toEqual([
      ...[1, 2].map((host) => JSON.stringify(facts(host))),
      null,
    ]);
    expect(await reader.hostFacts(asked)).toEqual([JSON.stringify(facts(1)), null, null]);
  });

  test.each([
    ['a host', ofHost],
    ['labels', ofTeam],
  ])(
    'to %s has nothing of other hosts, should anybody ask for them by their ids',
    async (_what, narrowing) => {
      const reader = narrowedReader(counted.index, narrowing);
      const ids = [hostId(1), hostId(2), hostId(3)];
      const listing = { filter: null, order: { field: 'COLLECTED_AT', direction: 'DESC' } as const };
      const all = { host: null, reports: null, plugin: null, path: null, start: null, end: null };
      const filter = { ...all, before: null, after: null, initial: true };
      const at = Date.parse('2027-01-01T00:00:00Z');
      const [own, other] = await counted.index.reportsOfHosts(ids, listing, { limit: 1 });
      const reports = [own?.[0]?.id ?? '', other?.[0]?.id ?? ''];
      const counts = (rows: unknown[][]) => rows.map(({ length }) => length > 0);
      expect(counts(await reader.reportsOfHosts(ids, listing, { limit: 9 }))).toEqual([true, false, false]);
      expect(await reader.countReportsOfHosts(ids, null)).toEqual([1, 0, 0]);
      const newest = await reader.reportsAt(ids.map((id) => ({ id, at })));
      expect(newest.map((report) => report?.hostId ?? null)).toEqual([hostId(1), null, null]);
      for (const [owner, owners] of [
        ['host', ids],
        ['report', reports],
      ] as const) {
        expect(
          counts(await counted.index.changesOf(owner, owners, filter, { limit: 9 })).slice(0, 2),
        ).toEqual([true, true]);
        const found = await reader.changesOf(owner, owners, filter, { limit: 9 });
        expect(counts(found).slice(0, 2)).toEqual([true, false]);
        const number = await reader.countChangesOf(owner, owners, filter);
        expect(number.map((count) => count > 0).slice(0, 2)).toEqual([true, false]);
      }
    },
  );

  test('to a host needs no statement to know which it is', async () => {
    const reader = narrowedReader(counted.index, ofHost);
    const before = counted.statements();
    expect(await reader.latestResults([hostId(2), hostId(3)], null)).toEqual([[], []]);
    expect(await reader.hostsById([hostId(2)])).toEqual([null]);
    expect(counted.statements()).toBe(before);
  });

  test('to labels asks once which of a page are within, and not at all of a page of its own', async () => {
    const reader = narrowedReader(counted.index, ofTeam);
    await reader.hosts(
      { filter: null, asOf: null, order: { field: 'NAME', direction: 'ASC' } },
      { limit: 10 },
    );
    const before = counted.statements();
    await reader.latestResults([hostId(1)], null);
    const ofKnown = counted.statements() - before;
    await narrowedReader(counted.index, ofTeam).latestResults([hostId(1)], null);
    expect(counted.statements() - before - ofKnown).toBeGreaterThan(ofKnown);
  });

  test('to nothing is refused: it would be the whole fleet', async () => {
    for (const labels of [null, {}])
      expect(() => narrowedReader(counted.index, { hostId: null, labels })).toThrow(/names a host or labels/);
  });
});

test.each<[boolean, Narrowing, Record<string, string>]>([
  [true, ofTeam, { team: 'a', more: 'x' }],
  [false, ofTeam, { team: 'A' }],
  [false, ofTeam, {}],
  [false, { hostId: null, labels: { constructor: 'x' } }, {}],
  [true, ofHost, {}],
  [true, { hostId: hostId(1).toUpperCase(), labels: null }, {}],
  [false, { hostId: hostId(2), labels: { team: 'a' } }, { team: 'a' }],
  // As an index has them, which knows no U+0000.
  [true, { hostId: null, labels: { 'te\0am': 'a\0' } }, { 'te\ufffdam': 'a\0' }],
  [false, ofTeam, { 'team\0': 'a' }],
])('within %s: narrowed to %j, with the labels %j', (expected, narrowing, labels) => {
  expect(isWithin(narrowing, { id: hostId(1), labels })).toBe(expected);
});

test('narrowings that mean the same are told by the same key, and others are not', () => {
  const key = (hostOf: string | null, labels: Record<string, string> | null) =>
    narrowingKey({ hostId: hostOf, labels });
  expect(key(hostId(1).toUpperCase(), { b: '1', a: '2' })).toBe(key(hostId(1), { a: '2', b: '1' }));
  const others = [
    key(hostId(1), null),
    key(null, { a: '2' }),
    key(null, { a: '2', b: '1' }),
    key(null, { a: '2","b":"1' }),
  ];
  expect(new Set(others).size).toBe(others.length);
});
