/**
 * stores: the real process while its bucket or its index is away, full or broken, and after.
 *
 * Side by side, as most of the time is spent waiting for the API's own round, every half minute.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { submitMutation } from '../support/api.ts';
import { type ApiProcess, answerOf, readinessOf, reportIdsOf, startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { canFreezePostgres, freezePostgres } from '../support/frozen-postgres.ts';
import { testIf } from '../support/needs.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../support/postgres.ts';
import { node, run } from '../support/process.ts';
import { type Reader, startReader } from '../support/readers.ts';
import { hostId, result, storedReport } from '../support/reports.ts';
import { startRestartableS3rver } from '../support/restartable-s3rver.ts';
import { bucketUrl } from '../support/s3-servers.ts';
import { type Senders, startSenders } from '../support/senders.ts';
import { putAsDead, readStoredIn } from '../support/stored.ts';
import { listOf, startStubS3 } from '../support/stub-s3.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { canMountSmallDisk, mountSmallDisk, smallDiskNeeded } from '../support/tmpfs.ts';

/** Leaves the machine to the others. */
const unhurried = { count: 4, everyMs: 40 };

const list = '{ reports(first: 10) { nodes { id os { kernel } } } }';

async function acknowledgedMore({ acknowledged }: Senders, more: number): Promise<void> {
  const before = acknowledged.size;
  await eventually(`${more} more reports are acknowledged`, () => acknowledged.size >= before + more);
}

async function refusedMore({ failed }: Senders, code: string, more: number): Promise<void> {
  const before = failed.get(code) ?? 0;
  await eventually(
    `${more} more attempts are answered ${code}`,
    () => (failed.get(code) ?? 0) >= before + more,
  );
}

/** No client is told of a bug of ours, whatever its stores do. */
function expectOnly({ failed }: Pick<Senders, 'failed'>, ...codes: string[]): void {
  expect([...failed.keys()].toSorted()).toEqual(codes.toSorted());
}

const notReady = [503, expect.objectContaining({ ready: false })];

async function whenReady({ url }: ApiProcess): Promise<void> {
  await eventually('the API is ready', async () => (await readinessOf(url))[0] === 200);
}

/** Each acknowledged report, once. */
async function expectAll({ url }: ApiProcess, { acknowledged }: Senders): Promise<void> {
  await eventually('all that was acknowledged is answered', async () => {
    const ids = new Set(await reportIdsOf(url));
    return [...acknowledged].every((id) => ids.has(id));
  });
  const ids = await reportIdsOf(url);
  expect(ids.toSorted()).toEqual([...acknowledged].toSorted());
}

/** It was answered all the time. */
async function expectGoesOn(reader: Reader): Promise<void> {
  await eventually('more than two reads are answered', () => reader.answered() > 2);
  await reader.stop();
  expectOnly(reader);
  expect(reader.answered()).toBeGreaterThan(2);
}

async function expectRunning(api: ApiProcess): Promise<void> {
  expect(api.child.exitCode).toBeNull();
  api.child.kill('SIGTERM');
  expect((await api.exit).code).toBe(0);
}

function runOnce(file: string, statement: string): void {
  const db = new DatabaseSync(file);
  db.exec(statement);
  db.close();
}

/** Zero where the system does not tell. */
function residentMiB({ child }: ApiProcess): number {
  const file = `/proc/${child.pid}/status`;
  if (!existsSync(file)) return 0;
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1]) / 1024;
}

/** What an operator is told, with the setting that is wrong. */
async function startInVain(env: Record<string, string>) {
  const folder = await temporaryFolder();
  return run(node, ['api/main.ts'], { env: { PORT: '0', BUCKET_URL: `file:${folder}/bucket`, ...env } });
}

describe.concurrent('under the bucket', { timeout: 180_000 }, () => {
  testIf(canMountSmallDisk(), smallDiskNeeded, 'a full disk under the bucket', async () => {
    const disk = await mountSmallDisk(8 * 1024);
    const folder = await temporaryFolder();
    const env = { BUCKET_URL: `file:${disk.folder}/bucket` };
    const api = await startApi(folder, { env });
    const load = startSenders(unhurried, api.url);
    const reader = startReader(api.url);
    await acknowledgedMore(load, 20);
    await disk.fill();
    await refusedMore(load, 'UNAVAILABLE', 20);
    expect(load.lastError()).toMatchObject({
      message: expect.stringContaining('send it again later'),
      extensions: { retryAfter: expect.any(Number) },
    });
    expect(await readinessOf(api.url)).toEqual(notReady);
    expect(api.output()).toContain('the disk is full');
    // What is there is whole.
    const stored = await readStoredIn(`${disk.folder}/bucket`);
    expect([...load.acknowledged].filter((id) => !stored.has(id))).toEqual([]);

    await disk.makeRoom();
    await acknowledgedMore(load, 20);
    await whenReady(api);
    await load.stop();
    expectOnly(load, 'UNAVAILABLE');
    await expectGoesOn(reader);
    await expectAll(api, load);
    expect(readdirSync(`${disk.folder}/bucket/.staging`)).toEqual([]);
    await expectRunning(api);
    const rebuilt = await run(node, ['api/main.ts', 'rebuild'], {
      env: { ...env, INDEX_URL: `sqlite:${folder}/anew.db` },
    });
    expect(rebuilt).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${load.acknowledged.size} reports`),
    });
  });

  test('a bucket that vanishes and comes back', async () => {
    const folder = await temporaryFolder();
    const api = await startApi(folder);
    // Without a pause, so that it goes in the middle of a put.
    const load = startSenders({ count: 8 }, api.url);
    const reader = startReader(api.url);
    await acknowledgedMore(load, 20);
    renameSync(`${folder}/bucket`, `${folder}/away`);
    await refusedMore(load, 'UNAVAILABLE', 20);
    expect(await readinessOf(api.url)).toEqual(notReady);
    // Nothing is written in its place.
    expect(readdirSync(folder)).not.toContain('bucket');
    renameSync(`${folder}/away`, `${folder}/bucket`);
    await acknowledgedMore(load, 20);
    await whenReady(api);
    await load.stop();
    expectOnly(load, 'UNAVAILABLE');
    await expectGoesOn(reader);
    await expectAll(api, load);
    expect((await readStoredIn(`${folder}/bucket`)).size).toBe(load.acknowledged.size);
    await expectRunning(api);
  });

  test('an S3 server that is killed and started again', async () => {
    const server = await startRestartableS3rver();
    const folder = await temporaryFolder();
    const env = { ...server.credentials, BUCKET_URL: bucketUrl(server, 'fleet') };
    const api = await startApi(folder, { env });
    const load = startSenders(unhurried, api.url);
    const reader = startReader(api.url);
    await acknowledgedMore(load, 20);
    await server.kill();
    await refusedMore(load, 'UNAVAILABLE', 8);
    expect(await readinessOf(api.url)).toEqual(notReady);
    await server.restart();
    await acknowledgedMore(load, 20);
    await whenReady(api);
    await load.stop();
    expectOnly(load, 'UNAVAILABLE');
    await expectGoesOn(reader);
    await expectAll(api, load);
    await expectRunning(api);
    const rebuilt = await run(node, ['api/main.ts', 'rebuild'], {
      env: { ...env, INDEX_URL: `sqlite:${folder}/anew.db` },
    });
    expect(rebuilt.code).toBe(0);
  });

  test('an S3 list that ends early is an error, not a shorter list', async () => {
    const { endpoint, credentials, ...place } = await startStubS3({
      // More is to come, and no way to it.
      get: (_request, response) => response.end(listOf(['a', 'b'], '<IsTruncated>true</IsTruncated>')),
      put: (_request, response) => response.end(),
    });
    const env = { ...credentials, BUCKET_URL: bucketUrl({ ...place, endpoint, credentials }, 'fleet') };
    const exit = await startInVain({ ...env, INDEX_URL: `sqlite:${await temporaryFolder()}/index.db` });
    expect(exit).toMatchObject({ code: 1, stderr: expect.stringContaining('cut the list short') });
  });

  test('more than may wait is answered UNAVAILABLE, and takes no more memory', async () => {
    const hanging: (() => void)[] = [];
    let hangs = true;
    const server = await startStubS3({
      get: (_request, response) => response.end(listOf([])),
      put: (_request, response) => {
        const confirm = () => response.setHeader('etag', '"x"').end();
        if (hangs) hanging.push(confirm);
        else confirm();
      },
    });
    const folder = await temporaryFolder();
    // Otherwise the API refuses before the log has to: of bodies it holds no more than the log.
    const env = { ...server.credentials, BUCKET_URL: bucketUrl(server, 'fleet'), MAX_IN_FLIGHT: 'off' };
    const api = await startApi(folder, { env });
    const outcomes: string[] = [];
    const send = async (number: number) => {
      const facts = { note: String.fromCharCode(97 + (number % 26)).repeat(1024 * 1024) };
      const input = {
        id: crypto.randomUUID(),
        host: { id: hostId(number), name: 'web' },
        collectedAt: new Date().toISOString(),
        results: [result('rack', facts)],
      };
      const { errors: [error] = [] } = await answerOf(api.url, submitMutation, { input });
      outcomes.push(error ? error.extensions.code : 'acknowledged');
      return error;
    };
    const sent = Array.from({ length: 100 }, (_, number) => send(number));
    await eventually('what is too much is refused', () => outcomes.length >= 36);
    const full = residentMiB(api);
    for (let number = 0; number < 60; number += 1) {
      expect((await send(number))?.extensions).toEqual({ code: 'UNAVAILABLE', retryAfter: 10 });
    }
    // What waits are 64 MiB, and what was refused leaves nothing behind.
    expect(outcomes.length).toBeLessThanOrEqual(60 + 40);
    expect(new Set(outcomes)).toEqual(new Set(['UNAVAILABLE']));
    expect(residentMiB(api)).toBeLessThan(full + 150);
    hangs = false;
    for (const confirm of hanging) confirm();
    await Promise.all(sent);
    const acknowledged = outcomes.filter((outcome) => outcome === 'acknowledged').length;
    expect(acknowledged).toBeGreaterThan(60);
    expect((await api.ask('{ reports { totalCount } }')).reports.totalCount).toBe(acknowledged);
    await expectRunning(api);
  });
});

describe.concurrent('under the index', { timeout: 180_000 }, () => {
  testIf(canMountSmallDisk(), smallDiskNeeded, 'a full disk under the index', async () => {
    const disk = await mountSmallDisk(16 * 1024);
    const folder = await temporaryFolder();
    const api = await startApi(folder, { env: { INDEX_URL: `sqlite:${disk.folder}/index.db` } });
    // Large enough that what SQLite has reserved is soon used up.
    const load = startSenders({ ...unhurried, padding: 20_000 }, api.url);
    const reader = startReader(api.url);
    await acknowledgedMore(load, 20);
    await disk.fill();
    await api.waitFor(/the disk is full.*index did not take segments/);
    await acknowledgedMore(load, 20);
    await disk.makeRoom();
    await acknowledgedMore(load, 20);
    await load.stop();
    expectOnly(load);
    await expectGoesOn(reader);
    await expectAll(api, load);
    await expectRunning(api);
  });

  testIf(hasPostgres(), postgresNeeded, 'a PostgreSQL that stops, and one that dies', async () => {
    const folder = await temporaryFolder();
    const server = await startPostgres();
    const api = await startApi(folder, { env: { INDEX_URL: await server.createDatabase() } });
    const load = startSenders(unhurried, api.url);
    const reader = startReader(api.url);
    for (const end of [server.stop, server.kill]) {
      await acknowledgedMore(load, 20);
      await end();
      await acknowledgedMore(load, 20);
      const { data, errors } = await answerOf(api.url, list);
      expect(data).toBeNull();
      expect(errors).toEqual([
        expect.objectContaining({
          extensions: { code: 'UNAVAILABLE', retryAfter: expect.any(Number) },
        }),
      ]);
      expect(await readinessOf(api.url)).toEqual(notReady);
      await server.restart();
      await whenReady(api);
    }
    await acknowledgedMore(load, 20);
    await load.stop();
    expectOnly(load);
    await reader.stop();
    expectOnly(reader, 'UNAVAILABLE');
    await expectAll(api, load);
    await expectRunning(api);
  });

  testIf(
    hasPostgres() && canFreezePostgres(),
    `${postgresNeeded}; on Linux`,
    'a PostgreSQL that is frozen',
    async () => {
      const folder = await temporaryFolder();
      const url = await (await startPostgres()).createDatabase();
      const api = await startApi(folder, { env: { INDEX_URL: url } });
      const load = startSenders(unhurried, api.url);
      await acknowledgedMore(load, 20);
      const thaw = await freezePostgres(url);
      await acknowledgedMore(load, 8);
      expect(await readinessOf(api.url)).toEqual(notReady);
      thaw();
      await whenReady(api);
      await acknowledgedMore(load, 20);
      await load.stop();
      expectOnly(load);
      await expectAll(api, load);
      await expectRunning(api);
    },
  );

  test('an index file that is deleted, damaged or of another version is made anew on start', async () => {
    const folder = await temporaryFolder();
    const file = `${folder}/index.db`;
    const first = await startApi(folder);
    const load = startSenders({ count: 4 }, first.url);
    await acknowledgedMore(load, 20);
    await load.stop();
    await expectRunning(first);
    const spoil: [() => void, RegExp | null][] = [
      [() => rmSync(file), null],
      // Its first page, but for the head, which tells whose file it is.
      [() => writeFileSync(file, readFileSync(file).fill(0xff, 100, 4096)), /malformed/],
      [() => runOnce(file, 'PRAGMA user_version = 1'), /it is of version 1/],
    ];
    for (const [how, reason] of spoil) {
      how();
      const api = await startApi(folder);
      if (reason) expect(api.output()).toMatch(reason);
      expect((await reportIdsOf(api.url)).toSorted()).toEqual([...load.acknowledged].toSorted());
      await expectRunning(api);
    }
  });

  test('an index file that is deleted under a server is made anew by it', async () => {
    const folder = await temporaryFolder();
    // Long ago: what came just now it would find in any case.
    const old = storedReport();
    await putAsDead(`${folder}/bucket`, [old]);
    const api = await startApi(folder);
    const load = startSenders(unhurried, api.url);
    await acknowledgedMore(load, 20);
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${folder}/index.db${suffix}`);
    await eventually('there is a new one', () => existsSync(`${folder}/index.db`));
    await acknowledgedMore(load, 20);
    await load.stop();
    expectOnly(load);
    const expected = [old.id, ...load.acknowledged].toSorted();
    await eventually('all is answered', async () => {
      expect((await reportIdsOf(api.url)).toSorted()).toEqual(expected);
      return true;
    });
    await expectRunning(api);
  });

  test('a PostgreSQL that is not there stops the start, and says so', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const exit = await startInVain({ INDEX_URL: `postgres://postgres@127.0.0.1:${port}/inventory` });
    expect(exit).toMatchObject({
      code: 1,
      stderr: `os-inspector-api: the index in PostgreSQL does not answer: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    });
  });

  testIf(
    hasPostgres(),
    postgresNeeded,
    'a PostgreSQL with the index of another bucket stops the start, and says what to do',
    async () => {
      const server = await startPostgres();
      const folder = await temporaryFolder();
      const env = { INDEX_URL: await server.createDatabase() };
      const api = await startApi(folder, { env });
      await expectRunning(api);
      const exit = await startInVain(env);
      expect(exit.code).toBe(1);
      expect(exit.stderr).toMatch(
        /this PostgreSQL database holds the index of file:\S+\/bucket, not of file:\S+\/bucket: give each bucket a database of its own, or run os-inspector-api rebuild/,
      );
    },
  );
});
