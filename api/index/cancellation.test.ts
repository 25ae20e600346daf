/** What a request has given up, the database stops working on: in both dialects. */
import { getEventListeners } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { whenFileIsDone } from '../../test/support/cleanup.ts';
import { eventually } from '../../test/support/eventually.ts';
import { describeIf } from '../../test/support/needs.ts';
import { hasPostgres, postgresNeeded, runSql, startPostgres } from '../../test/support/postgres.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { FactCondition, ReportFilter } from './filter.ts';
import type { IndexReader, IndexStore } from './index-store.ts';
import { openPostgresIndex } from './postgres-index.ts';
import { openSqliteIndex } from './sqlite-index.ts';

const plugins = await loadBuiltinPlugins();
const bucket = 'file:/srv/bucket';
const given = new Error('given up');
const text = 'abcdefghij'.repeat(6_000);
const contents = 800;
/** Of one host; with each other they make so many millions. */
const units = 8_000;

/** Reports whose contents differ, each with a text that takes long to look through. */
async function fill(index: IndexStore): Promise<void> {
  for (let from = 0; from < contents; from += 100) {
    const reports = Array.from({ length: 100 }, (_, number) =>
      storedReport({
        host: { id: hostId(from + number), name: `web-${from + number}`, labels: {} },
        results: [
          result('os', { distribution: `${text}${from + number}` }),
          ...(from + number === 0
            ? [result('rack', { units: Array.from({ length: units }, (_, unit) => unit) })]
            : []),
        ],
      }),
    );
    await index.apply([{ key: `reports/date=2026-05-01/hour=10/${hostId(from)}.ndjson.zst`, reports }]);
  }
}

/** Milliseconds for each row. */
const costly: ReportFilter = {
  kind: 'facts',
  plugin: 'os',
  conditions: [
    {
      kind: 'or',
      conditions: Array.from({ length: 100 }, (_, number): FactCondition => {
        const tests = [{ op: 'contains', value: `no such text ${number}`, ignoreCase: true }] as const;
        return { kind: 'value', path: 'os.distribution', column: 'text', tests };
      }),
    },
  ],
};
/** Takes most of a minute: far longer than it may take to end it. */
const copies: ReportFilter = { kind: 'or', filters: Array.from({ length: 9 }, () => costly) };
const soon = { withinMs: 10_000 };

const slow: Record<string, (reader: IndexReader) => Promise<unknown>> = {
  'a count of reports': (reader) => reader.countReports(copies),
  'a list of reports': (reader) =>
    reader.reports({ filter: copies, order: { field: 'COLLECTED_AT', direction: 'DESC' } }, { limit: 10 }),
  'a list of hosts in the past': (reader) =>
    reader.hosts(
      {
        filter: copies as never,
        asOf: Date.parse('2026-05-02T00:00:00Z'),
        order: { field: 'NAME', direction: 'ASC' },
      },
      { limit: 10 },
    ),
  'a distribution of a number in a long list by another': (reader) => {
    const of = { plugin: 'rack', path: 'rack.units', compare: null };
    return reader.factDistributions({ of, by: of, filter: null, asOf: null });
  },
};

type Opened = { index: IndexStore; working: () => Promise<number> };

function describeCancellation(open: () => Promise<Opened>): void {
  let index: IndexStore;
  let working: Opened['working'];

  beforeAll(async () => {
    ({ index, working } = await open());
    await fill(index);
  });

  test.each(Object.entries(slow))('%s ends when it is given up', async (_name, ask) => {
    const request = new AbortController();
    const asked = ask(index.forRequest(request.signal));
    asked.catch(() => {});
    await eventually('the database works on it', async () => (await working()) > 0);
    request.abort(given);
    await expect(asked).rejects.toBe(given);
    await eventually('the database does not', async () => (await working()) === 0, soon);
    expect(getEventListeners(request.signal, 'abort')).toEqual([]);
    expect(await index.countReports(null)).toBe(contents);
  });

  test('what waits for its turn, or comes too late, is never begun', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const busy = Array.from({ length: 20 }, () => index.forRequest(first.signal).countReports(copies));
    const waiting = Array.from({ length: 20 }, () => index.forRequest(second.signal).countReports(null));
    for (const asked of [...busy, ...waiting]) asked.catch(() => {});
    second.abort(given);
    for (const asked of waiting) await expect(asked).rejects.toBe(given);
    await expect(index.forRequest(second.signal).countReports(null)).rejects.toBe(given);
    first.abort(given);
    for (const asked of busy) await expect(asked).rejects.toBe(given);
    await eventually('the database does nothing', async () => (await working()) === 0, soon);
    for (const { signal } of [first, second]) expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('others are not harmed', async () => {
    const requests = Array.from({ length: 30 }, () => new AbortController());
    const asked = requests.map(({ signal }) => index.forRequest(signal).countReports(null));
    for (const [number, request] of requests.entries()) if (number % 2 === 0) request.abort(given);
    const answers = await Promise.allSettled(asked);
    for (const [number, answer] of answers.entries()) {
      if (number % 2 === 1) expect(answer).toEqual({ status: 'fulfilled', value: contents });
    }
    expect(await index.countReports(null)).toBe(contents);
  });
}

describe('SQLite', () => {
  describeCancellation(async () => {
    const index = await openSqliteIndex({ file: join(await temporaryFolder(), 'index.db'), bucket, plugins });
    whenFileIsDone(() => index.close());
    // A thread that is free answers: both that answer lists are asked.
    let pending = 0;
    const working = async () => {
      if (pending > 0) return pending;
      for (let thread = 0; thread < 2; thread += 1) {
        pending += 1;
        index.countReports({ kind: 'or', filters: [] }).finally(() => {
          pending -= 1;
        });
      }
      await index.ping();
      return pending;
    };
    return { index, working };
  });
});

describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL', () => {
  describeCancellation(async () => {
    const url = await (await startPostgres()).createDatabase();
    const index = await openPostgresIndex({ url, bucket, plugins });
    whenFileIsDone(() => index.close());
    const working = async () => {
      const [row] = await runSql(
        url,
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND application_name = 'os-inspector'`,
      );
      return Number(row?.n);
    };
    return { index, working };
  });
});
