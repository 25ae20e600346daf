/** several-apis: real processes beside each other over one bucket: servers, and the commands that maintain it. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openFolderBucket } from '../../api/bucket/folder-bucket.ts';
import { schemaVersion } from '../../api/index/tables.ts';
import { makeFleet } from '../../bench/fleet.ts';
import { writeSegments } from '../../bench/fleet-segments.ts';
import { submitMutation } from '../support/api.ts';
import { type ApiProcess, reportIdsOf, startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { testIf } from '../support/needs.ts';
import { hasPostgres, postgresNeeded, runSql, startPostgres } from '../support/postgres.ts';
import { type Command, type Exit, node, run, start } from '../support/process.ts';
import { startReader } from '../support/readers.ts';
import { hostId, storedReport } from '../support/reports.ts';
import { startSenders } from '../support/senders.ts';
import { putAsDead, readStoredIn } from '../support/stored.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const hourMs = 60 * 60 * 1000;
const count = '{ reports { totalCount } }';
const oneReport = 'query ($id: UUID!) { report(id: $id) { id } }';

const inputOf = (id: string) => ({
  id,
  host: { id: hostId(1), name: 'web-1' },
  collectedAt: new Date().toISOString(),
  results: [],
});

/** Reports of some hours that are long over, in segments of so many. @returns how many reports */
async function fillPast(folder: string, { hours, hosts, size }: Record<'hours' | 'hosts' | 'size', number>) {
  const startAt = (Math.floor(Date.now() / hourMs) - hours - 3) * hourMs;
  const fleet = makeFleet({ hosts, startAt, intervalSeconds: 3600 });
  await writeSegments(await openFolderBucket(`${folder}/bucket`), fleet.next(hosts * hours), size);
  return hosts * hours;
}

/**
 * When a segment was received that lies so far back that only an index that is made anew has it: by its reports the
 * answers of a server tell which index they are from.
 */
const lateAt = () => new Date(Date.now() - 30 * hourMs).toISOString();

/** How many a rebuild says that it has taken. */
function reportsIn({ stdout }: Exit): number {
  const [, reports] = /: \d+ segments, (\d+) reports/.exec(stdout) ?? [];
  return Number(reports);
}

async function expectCount(reports: number, ...apis: ApiProcess[]): Promise<void> {
  for (const api of apis) {
    await eventually(
      `${reports} reports are counted`,
      async () => (await api.ask(count)).reports.totalCount === reports,
    );
  }
}

function segmentsIn(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(db.prepare('SELECT count(*) AS segments FROM segments').get()?.segments);
  } finally {
    db.close();
  }
}

/**
 * Starts a rebuild and interrupts it once it has built a part. One that was done before that is run again, as they go
 * faster than a busy machine looks.
 *
 * @param segments how many it has built until now; throws as long as there is nothing
 */
async function interruptRebuild(
  command: Command,
  segments: () => number | Promise<number>,
  signal: 'SIGINT' | 'SIGKILL',
): Promise<{ built: number; exit: Exit }> {
  for (;;) {
    const rebuild = start(node, ['api/main.ts', 'rebuild'], command);
    let ended = false;
    rebuild.exit.then(() => {
      ended = true;
    });
    const built = await eventually(
      'a part is built',
      async () => (await Promise.try(segments).catch(() => 0)) || (ended ? 0 : null),
      { everyMs: 2 },
    );
    rebuild.child.kill(signal);
    const exit = await rebuild.exit;
    if (exit.code !== 0) return { built, exit };
  }
}

async function stop(...apis: ApiProcess[]): Promise<void> {
  for (const api of apis) {
    api.child.kill('SIGTERM');
    expect((await api.exit).code).toBe(0);
  }
}

describe.concurrent('beside each other', { timeout: 180_000 }, () => {
  test('with an index of its own each, what one takes the other answers within a minute', async () => {
    const folder = await temporaryFolder();
    const apis = [
      await startApi(folder, { env: { INDEX_URL: `sqlite:${folder}/one.db` } }),
      await startApi(folder, { env: { INDEX_URL: `sqlite:${folder}/two.db` } }),
    ];
    const load = startSenders({ count: 8, everyMs: 10 }, ...apis.map(({ url }) => url));
    await eventually('some are acknowledged', () => load.acknowledged.size >= 200);
    await load.stop();
    expect([...load.failed]).toEqual([]);
    const expected = [...load.acknowledged].toSorted();
    for (const { url } of apis) {
      await eventually('both have all', async () => (await reportIdsOf(url)).length === expected.length, {
        withinMs: 60_000,
      });
      expect((await reportIdsOf(url)).toSorted()).toEqual(expected);
    }
    await stop(...apis);
  });

  testIf(hasPostgres(), postgresNeeded, 'on one PostgreSQL they are as one', async () => {
    const folder = await temporaryFolder();
    const env = { INDEX_URL: await (await startPostgres()).createDatabase() };
    // All of them find an empty database at the same moment.
    const [one, two, ...others] = await Promise.all([
      startApi(folder, { env }),
      startApi(folder, { env }),
      startApi(folder, { env }),
      startApi(folder, { env }),
    ]);
    await stop(...others);
    const id = crypto.randomUUID();
    expect((await one.ask(submitMutation, { input: inputOf(id) })).submitReport.duplicate).toBe(false);
    expect((await two.ask(`{ report(id: "${id}") { id } }`)).report).toEqual({ id });
    expect((await two.ask(submitMutation, { input: inputOf(id) })).submitReport.duplicate).toBe(true);

    const load = startSenders({ count: 16 }, one.url, two.url);
    const readers = [startReader(one.url), startReader(two.url)];
    await eventually('some are acknowledged', () => load.acknowledged.size >= 500);
    await load.stop();
    await Promise.all(readers.map((reader) => reader.stop()));
    for (const { failed } of [load, ...readers]) expect([...failed]).toEqual([]);
    const expected = [id, ...load.acknowledged].toSorted();
    for (const api of [one, two]) {
      expect((await reportIdsOf(api.url)).toSorted()).toEqual(expected);
      expect((await api.ask(count)).reports.totalCount).toBe(expected.length);
    }
    for (const { output } of [one, two]) expect(output()).not.toMatch(/"level":[56]0/);
    const stored = await readStoredIn(`${folder}/bucket`);
    expect([...stored.values()].filter(({ length }) => length > 1)).toEqual([]);
    await stop(one, two);
  });

  test('compact beside a server under load: small segments become one an hour, and nothing else changes', async () => {
    const folder = await temporaryFolder();
    const past = await fillPast(folder, { hours: 3, hosts: 200, size: 4 });
    const api = await startApi(folder);
    const load = startSenders({ count: 4, everyMs: 10 }, api.url);
    const counts: number[] = [];
    const reader = startReader(api.url, ({ reports }) => {
      if (reports?.totalCount !== undefined) counts.push(reports.totalCount);
    });
    await eventually('some are acknowledged', () => load.acknowledged.size >= 50);
    const before = load.acknowledged.size;
    const env = { BUCKET_URL: `file:${folder}/bucket`, INDEX_URL: `sqlite:${folder}/index.db` };
    const compacted = await run(node, ['api/main.ts', 'compact'], { env });
    expect(compacted).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/150 segments became 3,/),
    });
    await eventually('more are acknowledged', () => load.acknowledged.size >= before + 50);
    await load.stop();
    await reader.stop();
    for (const { failed } of [load, reader]) expect([...failed]).toEqual([]);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    const ids = await reportIdsOf(api.url);
    expect(ids.length).toBe(past + load.acknowledged.size);
    await stop(api);

    const stored = await readStoredIn(`${folder}/bucket`);
    expect([...stored.keys()].toSorted()).toEqual(ids.toSorted());
    const again = await startApi(folder, { env: { INDEX_URL: `sqlite:${folder}/anew.db` } });
    expect((await reportIdsOf(again.url)).toSorted()).toEqual(ids.toSorted());
    await stop(again);
  });

  test('rebuild beside a server under load, stopped half way and run again: the server goes over to it', async () => {
    const folder = await temporaryFolder();
    const size = 100;
    const past = await fillPast(folder, { hours: 2, hosts: 4000, size });
    const api = await startApi(folder);
    const load = startSenders({ count: 4, everyMs: 20 }, api.url);
    const reader = startReader(api.url);
    const env = { BUCKET_URL: `file:${folder}/bucket`, INDEX_URL: `sqlite:${folder}/index.db` };
    const { built, exit } = await interruptRebuild(
      { env },
      () => segmentsIn(`${folder}/index.db.building`),
      'SIGINT',
    );
    expect(exit).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('stopped; the next rebuild goes on from here'),
    });
    const late = storedReport({ receivedAt: lateAt() });
    await putAsDead(`${folder}/bucket`, [late]);
    expect((await api.ask(oneReport, { id: late.id })).report).toBeNull();

    const rebuilt = await run(node, ['api/main.ts', 'rebuild'], { env });
    expect(rebuilt).toMatchObject({ code: 0 });
    expect(reportsIn(rebuilt)).toBeLessThanOrEqual(past + 1 + load.acknowledged.size - built * size);
    expect(rebuilt.stderr).toMatch(
      /\d+%\s+\d+\/\d+ segments\s+\d+ reports\s+\d+ reports\/s\s+(\?|\d+(s|min|h)) left/,
    );
    await eventually(
      'the server answers from the new index',
      async () => (await api.ask(oneReport, { id: late.id })).report,
    );
    await load.stop();
    await reader.stop();
    for (const { failed } of [load, reader]) expect([...failed]).toEqual([]);
    await expectCount(past + 1 + load.acknowledged.size, api);
    await stop(api);
  });

  testIf(
    hasPostgres(),
    postgresNeeded,
    'rebuild beside two servers on one PostgreSQL, killed half way and run again',
    async () => {
      const folder = await temporaryFolder();
      const size = 100;
      const past = await fillPast(folder, { hours: 2, hosts: 2000, size });
      const url = await (await startPostgres()).createDatabase();
      const env = { INDEX_URL: url };
      const apis = [await startApi(folder, { env }), await startApi(folder, { env })];
      const load = startSenders({ count: 8, everyMs: 10 }, ...apis.map((api) => api.url));
      const readers = apis.map((api) => startReader(api.url));
      const command = { env: { ...env, BUCKET_URL: `file:${folder}/bucket` } };
      const statement = `SELECT count(*)::int AS segments FROM os_inspector_v${schemaVersion}_building.segments`;
      const segmentsBuilt = async () => Number((await runSql(url, statement))[0]?.segments);
      const { built } = await interruptRebuild(command, segmentsBuilt, 'SIGKILL');
      const late = storedReport({ receivedAt: lateAt() });
      await putAsDead(`${folder}/bucket`, [late]);
      for (const api of apis) expect((await api.ask(oneReport, { id: late.id })).report).toBeNull();

      const rebuilt = await run(node, ['api/main.ts', 'rebuild'], command);
      expect(rebuilt).toMatchObject({ code: 0 });
      expect(reportsIn(rebuilt)).toBeLessThanOrEqual(past + 1 + load.acknowledged.size - built * size);
      for (const api of apis) {
        expect((await api.ask(oneReport, { id: late.id })).report).toEqual({ id: late.id });
      }
      await load.stop();
      await Promise.all(readers.map((reader) => reader.stop()));
      for (const { failed } of [load, ...readers]) expect([...failed]).toEqual([]);
      await expectCount(past + 1 + load.acknowledged.size, ...apis);
      await stop(...apis);
    },
  );
});
