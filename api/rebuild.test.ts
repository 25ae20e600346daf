import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import { dataOf, openTestApi, submitMutation } from '../test/support/api.ts';
import { hostId } from '../test/support/reports.ts';
import type { Bucket } from './bucket/bucket.ts';
import { openFolderBucket } from './bucket/folder-bucket.ts';
import { Failure } from './failure.ts';
import { openSqliteIndex } from './index/sqlite-index.ts';
import { rebuild } from './rebuild.ts';

/** Stores with three reports, each in a segment of its own, and the index that goes with them. */
async function filled() {
  const { folder, ask, close } = await openTestApi();
  for (let number = 1; number <= 3; number += 1) {
    const input = {
      host: { id: hostId(number), name: 'web' },
      collectedAt: '2026-05-01T00:00:00Z',
      results: [],
    };
    await dataOf(ask(submitMutation, { input }));
  }
  await close();
  const file = join(folder, 'index.db');
  const plugins = await loadBuiltinPlugins();
  const bucket = await openFolderBucket(join(folder, 'bucket'));
  const count = async () => {
    const index = openSqliteIndex({ file, bucket: bucket.location, plugins });
    const reports = await index.countReports(null);
    index.close();
    return reports;
  };
  const run = (from: Bucket = bucket) => rebuild({ bucket: from, file, plugins, write: () => {} });
  return { folder, file, bucket, count, run };
}

test('makes the index anew from the bucket, whether there was one or not', async () => {
  const { folder, file, count, run } = await filled();
  expect(await run()).toEqual({ segments: 3, reports: 3, corrupt: [] });
  expect(await count()).toBe(3);
  rmSync(file);
  expect(await run()).toEqual({ segments: 3, reports: 3, corrupt: [] });
  expect(
    readdirSync(folder)
      .filter((name) => name.startsWith('index'))
      .toSorted(),
  ).toEqual(['index.db']);
});

test('a bucket that fails half way leaves the index as it was', async () => {
  const { bucket, folder, count, run } = await filled();
  const [last] = (await Array.fromAsync(bucket.list())).reverse();
  const failing: Bucket = {
    ...bucket,
    get: (key) => (key === last ? Promise.reject(new Failure('UNAVAILABLE', 'away')) : bucket.get(key)),
  };
  await expect(run(failing)).rejects.toThrow('away');
  expect(await count()).toBe(3);
  expect(readdirSync(folder).filter((name) => name.includes('building'))).toEqual([]);
});

test('an empty bucket does not empty an index', async () => {
  const { bucket, count, run } = await filled();
  for (const key of await Array.fromAsync(bucket.list())) await bucket.delete(key);
  await expect(run()).rejects.toThrow(/holds no reports, but the index .* does: correct BUCKET_URL/);
  expect(await count()).toBe(3);
});

test('a corrupt segment is told, and the rest is there', async () => {
  const { bucket, count, run } = await filled();
  const [key = ''] = await Array.fromAsync(bucket.list());
  await bucket.put(key, Buffer.from('damaged'));
  const { corrupt } = await run();
  expect(corrupt.map(({ message }) => message)).toEqual([expect.stringContaining(key)]);
  expect(await count()).toBe(2);
});

test('a file that is no index is left as it is', async () => {
  const { file, run } = await filled();
  writeFileSync(file, 'notes that someone would miss');
  await expect(run()).rejects.toThrow(/not an index of os-inspector/);
  expect(readFileSync(file, 'utf8')).toBe('notes that someone would miss');
});
