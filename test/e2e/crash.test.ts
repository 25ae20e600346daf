import { rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { submitMutation } from '../support/api.ts';
import { ask, startApi } from '../support/api-process.ts';
import { hostId, result } from '../support/reports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Sends reports one after another until the API is gone; returns the ids that it acknowledged. */
async function submitUntilGone(url: string, host: number, acknowledged: string[]): Promise<void> {
  for (;;) {
    const input = {
      id: crypto.randomUUID(),
      host: { id: hostId(host), name: `web-${host}` },
      collectedAt: new Date().toISOString(),
      results: [result('os', { platform: 'linux', kernel: `6.1.${acknowledged.length}` })],
    };
    try {
      const { submitReport } = (await ask(url, submitMutation, { input })) as {
        submitReport: { duplicate: boolean };
      };
      expect(submitReport.duplicate).toBe(false);
    } catch {
      return;
    }
    acknowledged.push(input.id);
  }
}

test('after kill -9 under load and without its index, every acknowledged report is there once', async () => {
  const folder = await temporaryFolder();
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const api = await startApi(folder);
    const before = acknowledged.length;
    const agents = Array.from({ length: 8 }, (_, host) => submitUntilGone(api.url, host, acknowledged));
    // In the middle of it: agents are waiting for answers whenever this is reached.
    while (acknowledged.length < before + 150) await setImmediate();
    api.child.kill('SIGKILL');
    await Promise.all(agents);
    expect((await api.exit).signal).toBe('SIGKILL');
    // The second time the index is left as the crash left it, and catches up.
    if (round !== 1)
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${folder}/index.db${suffix}`, { force: true });
  }

  const api = await startApi(folder);
  const stored: string[] = [];
  const query = `query ($after: String) {
    reports(first: 1000, after: $after) { totalCount nodes { id os { kernel } } pageInfo { hasNextPage endCursor } }
  }`;
  for (let after: string | null = null, more = true; more; ) {
    const { reports } = await api.ask(query, { after });
    stored.push(...reports.nodes.map(({ id }: { id: string }) => id));
    more = reports.pageInfo.hasNextPage;
    after = reports.pageInfo.endCursor;
  }
  expect(new Set(stored).size).toBe(stored.length);
  expect(acknowledged.filter((id) => !stored.includes(id))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThanOrEqual(450);

  // A resend of what was acknowledged before the crash is still known.
  const [id] = acknowledged;
  const input = {
    id,
    host: { id: hostId(1), name: 'x' },
    collectedAt: new Date().toISOString(),
    results: [],
  };
  expect((await api.ask(submitMutation, { input })).submitReport.duplicate).toBe(true);
  api.child.kill('SIGTERM');
  expect((await api.exit).code).toBe(0);
});
