import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { madeUpHistory } from '../test/support/histories.ts';
import { type Dump, dumpPostgres, dumpSqlite } from '../test/support/index-dump.ts';
import { describeIf } from '../test/support/needs.ts';
import { seededRandom } from '../test/support/noise.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../test/support/postgres.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { Bucket } from './bucket/bucket.ts';
import { openFolderBucket } from './bucket/folder-bucket.ts';
import { Failure } from './failure.ts';
import { type IndexSettings, openIndex, openRebuild } from './index/open-index.ts';
import { schemaVersion } from './index/tables.ts';
import { encodeReport, encodeSegment } from './log/segment.ts';
import { segmentFolder, segmentKey } from './log/segment-key.ts';
import type { StoredReport } from './log/stored-report.ts';
import { rebuildIndex } from './rebuild.ts';

const plugins = await loadBuiltinPlugins();

/** Puts reports into segments of a few each, and returns their keys. */
async function put(bucket: Bucket, reports: readonly StoredReport[]): Promise<string[]> {
  const keys: string[] = [];
  for (const ofHour of Map.groupBy(reports, ({ receivedAt }) => segmentFolder(receivedAt)).values()) {
    for (let from = 0; from < ofHour.length; from += 5) {
      const part = ofHour.slice(from, from + 5);
      keys.push(segmentKey(part));
      await bucket.put(segmentKey(part), await encodeSegment(part.map(encodeReport)));
    }
  }
  return keys;
}

type Stores = { settings: IndexSettings; dump(): Promise<Dump> };

function describeRebuild(newStores: (folder: string) => Promise<Stores>): void {
  /** A bucket with a history, and the index that followed it live, in another order. */
  async function filled(seed = 1) {
    const folder = await temporaryFolder();
    const { settings, dump } = await newStores(folder);
    const bucket = await openFolderBucket(join(folder, 'bucket'));
    const history = madeUpHistory(seededRandom(seed), 80);
    const keys = await put(bucket, history);
    const options = { settings, bucket: bucket.location, plugins };
    const index = await openIndex(options);
    for (const reports of [history.slice(40), history.slice(0, 40)]) {
      await index.apply([{ key: `live ${reports.length} ${reports[0]?.id}`, reports }]);
    }
    const run = async (from: Bucket = bucket, signal?: AbortSignal) =>
      rebuildIndex({
        bucket: from,
        rebuild: await openRebuild(options),
        retentionMs: null,
        onProgress: () => {},
        ...(signal ? { signal } : {}),
      });
    return { folder, bucket, keys, index, dump, run, options };
  }

  test.each([1, 2, 3])('an index made anew is the one that followed live (seed %i)', async (seed) => {
    const { keys, index, dump, run } = await filled(seed);
    const before = await dump();
    expect(await run()).toMatchObject({ segments: keys.length, corrupt: [] });
    expect(await dump()).toEqual(before);
    await index.close();
  });

  test('an API that runs answers from the old one until then, and from the new one after', async () => {
    const { bucket, index, run } = await filled();
    expect(await index.appliedOf(['live 40 none'])).toEqual(new Set());
    const count = await index.countReports(null);
    const counts: number[] = [];
    const watched: Bucket = {
      ...bucket,
      async get(key) {
        counts.push(await index.countReports(null));
        return bucket.get(key);
      },
    };
    const [, last = ''] = (await Array.fromAsync(bucket.list())).map(({ key }) => key).reverse();
    await run(watched);
    expect(new Set(counts)).toEqual(new Set([count]));
    await index.refresh();
    expect(await index.countReports(null)).toBe(count);
    expect(await index.appliedOf([last])).toEqual(new Set([last]));
    // It goes on taking reports, whatever it remembered of the one before.
    const more = madeUpHistory(seededRandom(9), 20);
    await index.apply([{ key: 'live again', reports: more }]);
    const ids = new Set(more.map(({ id }) => id));
    expect(await index.countReports(null)).toBe(count + ids.size);
    await index.close();
  });

  test('one that was stopped goes on where it was, and the index in use is left as it was', async () => {
    const { bucket, keys, index, dump, run } = await filled();
    const before = await dump();
    const failing: Bucket = {
      ...bucket,
      get: (key) =>
        key === keys.at(-1) ? Promise.reject(new Failure('UNAVAILABLE', 'away')) : bucket.get(key),
    };
    await expect(run(failing)).rejects.toThrow('away');
    expect(await dump()).toEqual(before);
    const aborted = AbortSignal.abort(new Error('told to stop'));
    await expect(run(bucket, aborted)).rejects.toThrow('told to stop');
    const read: string[] = [];
    const watched: Bucket = {
      ...bucket,
      get(key) {
        read.push(key);
        return bucket.get(key);
      },
    };
    await run(watched);
    expect(await dump()).toEqual(before);
    expect(read.length).toBeLessThanOrEqual(keys.length);
    await index.close();
  });

  test('an empty bucket does not empty an index', async () => {
    const { bucket, keys, index, dump, run } = await filled();
    const before = await dump();
    for (const key of keys) await bucket.delete(key);
    await expect(run()).rejects.toThrow(/holds no reports, but the index does: correct BUCKET_URL/);
    expect(await dump()).toEqual(before);
    await index.close();
  });

  test('a segment that cannot be read is told by its key, and the rest is there', async () => {
    const { bucket, keys, index, run } = await filled();
    const [first = '', second = '', third = ''] = keys;
    const whole = await bucket.get(second);
    await bucket.put(first, Buffer.from('damaged'));
    await bucket.put(second, (whole ?? new Uint8Array()).subarray(0, 100));
    await bucket.put(third, await encodeSegment([{ line: '{"format":1}' } as never]));
    const { corrupt, segments } = await run();
    expect(corrupt.map(({ message }) => message).sort()).toEqual(
      [first, second, third].sort().map((key) => expect.stringContaining(key)),
    );
    expect(segments).toBe(keys.length - 3);
    await index.close();
  });
}

describe('SQLite', () => {
  describeRebuild(async (folder) => {
    const file = join(folder, 'index.db');
    return { settings: { kind: 'sqlite', file }, dump: () => dumpSqlite(file) };
  });

  test('a file that is no index is left as it is, and nothing is left beside an index', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'index.db');
    const bucket = await openFolderBucket(join(folder, 'bucket'));
    const options = { settings: { kind: 'sqlite', file } as const, bucket: bucket.location, plugins };
    const run = async () =>
      rebuildIndex({ bucket, rebuild: await openRebuild(options), retentionMs: null, onProgress: () => {} });
    writeFileSync(file, 'notes that someone would miss');
    await expect(run()).rejects.toThrow(/not an index of os-inspector/);
    expect(readFileSync(file, 'utf8')).toBe('notes that someone would miss');
    rmSync(file);
    await run();
    expect(readdirSync(folder).filter((name) => name.startsWith('index'))).toEqual(['index.db']);
  });
});

describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL', async () => {
  const server = await startPostgres();
  describeRebuild(async () => {
    const url = await server.createDatabase();
    return {
      settings: { kind: 'postgres', url },
      dump: () => dumpPostgres(url, `os_inspector_v${schemaVersion}`),
    };
  });
});
