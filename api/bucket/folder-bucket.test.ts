import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeBucket } from '../../test/contracts/bucket-suite.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { openFolderBucket } from './folder-bucket.ts';

const parent = await temporaryFolder();
const newFolder = () => join(parent, crypto.randomUUID());

describe('folder bucket', () => {
  describeBucket(() => openFolderBucket(newFolder()));

  test('a put that fails leaves nothing behind, neither object nor staged file', async () => {
    const folder = newFolder();
    const bucket = await openFolderBucket(folder);
    // A file where a folder would have to be.
    writeFileSync(join(folder, 'taken'), 'x');
    await expect(bucket.put('taken/a', new Uint8Array(9))).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
    expect(readdirSync(join(folder, '.staging'))).toEqual([]);
    expect(await Array.fromAsync(bucket.list())).toEqual(['taken']);
  });

  test('what a crash left staged is never listed, and is cleared once it is old', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, '.staging'), { recursive: true });
    for (const [name, ageHours] of [
      ['old', 2],
      ['young', 0],
    ] as const) {
      const path = join(folder, '.staging', name);
      writeFileSync(path, 'half a seg');
      const time = Date.now() / 1000 - ageHours * 3600;
      utimesSync(path, time, time);
    }
    const bucket = await openFolderBucket(folder);
    expect(await Array.fromAsync(bucket.list())).toEqual([]);
    expect(readdirSync(join(folder, '.staging'))).toEqual(['young']);
  });

  test('a bucket that is gone while in use is UNAVAILABLE, not empty, and works again when it is back', async () => {
    const folder = newFolder();
    const bucket = await openFolderBucket(folder);
    rmSync(folder, { recursive: true });
    const unavailable = expect.objectContaining({ kind: 'UNAVAILABLE' });
    await expect(bucket.put('a', new Uint8Array(1))).rejects.toEqual(unavailable);
    await expect(Array.fromAsync(bucket.list())).rejects.toEqual(unavailable);
    mkdirSync(folder);
    await bucket.put('a', new Uint8Array(1));
    expect(await Array.fromAsync(bucket.list())).toEqual(['a']);
  });

  test('a folder that cannot be used is told at once', async () => {
    const file = newFolder();
    writeFileSync(file, 'x');
    await expect(openFolderBucket(file)).rejects.toMatchObject({
      kind: 'UNAVAILABLE',
      message: expect.stringContaining(file),
    });
  });
});
