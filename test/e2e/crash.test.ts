import { rmSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { submitMutation } from '../support/api.ts';
import { type ApiProcess, reportIdsOf, startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { testIf } from '../support/needs.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../support/postgres.ts';
import { hostId, storedReport } from '../support/reports.ts';
import { type Senders, startSenders } from '../support/senders.ts';
import { putAsDead, readStoredIn } from '../support/stored.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const senders = 16;

/** Kills it while agents are waiting for answers, after so many more acknowledgements. */
async function killUnderLoad(api: ApiProcess, { acknowledged }: Senders, more: number): Promise<void> {
  const before = acknowledged.size;
  while (acknowledged.size < before + more) await turn();
  api.child.kill('SIGKILL');
  expect((await api.exit).signal).toBe('SIGKILL');
}

const inputOf = (id: string) => ({
  id,
  host: { id: hostId(1), name: 'web-1' },
  collectedAt: new Date().toISOString(),
  results: [],
});

describe.concurrent('processes that die', { timeout: 180_000 }, () => {
  test('after kill -9 under load, again and again, every acknowledged report is there once', async () => {
    const folder = await temporaryFolder();
    const load = startSenders({ count: senders });
    for (let round = 0; round < 5; round += 1) {
      const api = await startApi(folder);
      load.sendTo(api.url);
      await killUnderLoad(api, load, 200);
      // In the other rounds it is left as the crash left it, and catches up.
      if (round === 1 || round === 4) {
        for (const suffix of ['', '-wal', '-shm']) rmSync(`${folder}/index.db${suffix}`, { force: true });
      }
    }
    const api = await startApi(folder);
    load.sendTo(api.url);
    await load.stop();

    const ids = await reportIdsOf(api.url);
    expect(ids.toSorted()).toEqual([...load.acknowledged].toSorted());
    expect(ids.length).toBeGreaterThan(1000);
    // Agents were cut off in every round; what they sent again was known if it had been put.
    expect(load.failed.get('none')).toBeGreaterThanOrEqual(5);
    expect([...load.failed.keys()]).toEqual(['none']);
    const stored = await readStoredIn(`${folder}/bucket`);
    expect([...stored.keys()].toSorted()).toEqual(ids.toSorted());
    expect([...stored].filter(([, copies]) => copies.length > 1).map(([id]) => id)).toEqual([]);

    // A resend of what was acknowledged before a crash is still known.
    const [first = ''] = load.acknowledged;
    const { report } = await api.ask('query ($id: UUID!) { report(id: $id) { host { id name } } }', {
      id: first,
    });
    const again = { ...inputOf(first), host: report.host };
    expect((await api.ask(submitMutation, { input: again })).submitReport.duplicate).toBe(true);
    api.child.kill('SIGTERM');
    expect((await api.exit).code).toBe(0);
  });

  testIf(
    hasPostgres(),
    postgresNeeded,
    'of two APIs on one PostgreSQL one is killed under load: the other answers for both',
    async () => {
      const folder = await temporaryFolder();
      const server = await startPostgres();
      const env = { INDEX_URL: await server.createDatabase() };
      const [dying, survivor] = [await startApi(folder, { env }), await startApi(folder, { env })];
      const load = startSenders({ count: senders }, dying.url, survivor.url);
      await killUnderLoad(dying, load, 400);
      load.sendTo(survivor.url);

      // What the dead one had put, and not applied.
      const reports = Array.from({ length: 3 }, () => storedReport({ receivedAt: new Date().toISOString() }));
      const [first, second, third] = reports.map(({ id }) => id);
      await putAsDead(`${folder}/bucket`, reports);
      // Its agent does not wait for that.
      await survivor.ask(submitMutation, { input: inputOf(first ?? '') });
      const query = 'query ($id: UUID!) { report(id: $id) { id } }';
      await eventually(
        'the survivor answers for what the dead one only put',
        async () => (await survivor.ask(query, { id: third })).report,
        { withinMs: 60_000 },
      );
      expect((await survivor.ask(query, { id: second })).report).toEqual({ id: second });
      expect(
        (await survivor.ask(submitMutation, { input: inputOf(second ?? '') })).submitReport.duplicate,
      ).toBe(true);

      await load.stop();
      const ids = await reportIdsOf(survivor.url);
      const expected = [...load.acknowledged, ...reports.map(({ id }) => id)];
      expect(ids.toSorted()).toEqual(expected.toSorted());
      expect([...load.failed.keys()]).toEqual(['none']);
      expect([...(await readStoredIn(`${folder}/bucket`)).keys()].toSorted()).toEqual(ids.toSorted());
      expect((await survivor.ask('{ reports { totalCount } }')).reports.totalCount).toBe(expected.length);
    },
  );
});
