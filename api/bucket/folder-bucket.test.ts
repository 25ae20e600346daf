import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeBucket } from '../../test/contracts/bucket-suite.ts';
import { testIf } from '../../test/support/needs.ts';
import { node, repository } from '../../test/support/process.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { openFolderBucket } from './folder-bucket.ts';

const parent = await temporaryFolder();
const newFolder = () => join(parent, crypto.randomUUID());

/** Runs a program with file systems of its own that are mounted by a line of shell first. */
function inOwnMounts(mounts: string, program: string, folder: string) {
  const script = `${mounts} && exec "$1" --input-type=module -e "$2"`;
  return spawnSync('unshare', ['-rm', 'sh', '-ec', script, 'sh', node, program], {
    cwd: repository,
    encoding: 'utf8',
    env: { ...process.env, FOLDER: folder },
  });
}
const canMount = inOwnMounts('mount -t tmpfs none "$FOLDER"', '', parent).status === 0;
const mountNeeded = 'needs Linux, and the right to mount in a namespace of its own';

describe('folder bucket', () => {
  describeBucket(() => openFolderBucket(newFolder()));

  test('a put that fails leaves nothing behind, neither object nor staged file', async () => {
    const folder = newFolder();
    const bucket = await openFolderBucket(folder);
    // A file where a folder would have to be.
    writeFileSync(join(folder, 'taken'), 'x');
    await expect(bucket.put('taken/a', new Uint8Array(9))).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
    expect(readdirSync(join(folder, '.staging'))).toEqual([]);
    expect(await Array.fromAsync(bucket.list())).toEqual([{ key: 'taken', size: 1 }]);
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
    expect(await Array.fromAsync(bucket.list())).toEqual([{ key: 'a', size: 1 }]);
  });

  test('a folder that cannot be used is told at once', async () => {
    const file = newFolder();
    writeFileSync(file, 'x');
    await expect(openFolderBucket(file)).rejects.toMatchObject({
      kind: 'UNAVAILABLE',
      message: expect.stringContaining(file),
    });
  });

  testIf(canMount, mountNeeded, 'a full disk says what to do and shows no half object', async () => {
    const folder = newFolder();
    mkdirSync(folder);
    const program = `
      import { openFolderBucket } from './api/bucket/folder-bucket.ts';
      const bucket = await openFolderBucket(process.env.FOLDER);
      await bucket.put('a', new Uint8Array(100_000));
      await bucket.put('b', new Uint8Array(200_000)).catch(({ kind, message }) => console.log(kind, message));
      console.log(await Array.fromAsync(bucket.list(), ({ key }) => key));
      await bucket.delete('a');
      await bucket.put('b', new Uint8Array(200_000));
      console.log(await Array.fromAsync(bucket.list(), ({ key }) => key));`;
    const { stdout, stderr } = inOwnMounts('mount -t tmpfs -o size=256k none "$FOLDER"', program, folder);
    expect(stderr).toBe('');
    const [failed, ...lists] = stdout.trim().split('\n');
    expect(failed).toMatch(/^UNAVAILABLE cannot write b: ENOSPC.*the disk is full.*free some/);
    expect(lists).toEqual(["[ 'a' ]", "[ 'b' ]"]);
  });

  testIf(
    canMount,
    mountNeeded,
    'a file system that became read-only says what to do; reading goes on',
    async () => {
      const folder = newFolder();
      mkdirSync(folder);
      const program = `
      import { execFileSync } from 'node:child_process';
      import { openFolderBucket } from './api/bucket/folder-bucket.ts';
      const bucket = await openFolderBucket(process.env.FOLDER);
      await bucket.put('a', new Uint8Array(3));
      execFileSync('mount', ['-o', 'remount,ro', process.env.FOLDER]);
      for (const work of [() => bucket.put('b', new Uint8Array(3)), () => bucket.delete('a')])
        await work().catch(({ kind, message }) => console.log(kind, message));
      console.log((await bucket.get('a')).length);`;
      const { stdout, stderr } = inOwnMounts('mount -t tmpfs none "$FOLDER"', program, folder);
      expect(stderr).toBe('');
      const [put, deleted, length] = stdout.trim().split('\n');
      expect(put).toMatch(/^UNAVAILABLE cannot write b: EROFS.*read-only.*remount/);
      expect(deleted).toMatch(/^UNAVAILABLE cannot delete a: EROFS.*read-only.*remount/);
      expect(length).toBe('3');
    },
  );

  test('whatever in the folder is no file is not listed', async () => {
    const folder = newFolder();
    const bucket = await openFolderBucket(folder);
    mkdirSync(join(folder, 'empty'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    symlinkSync(join(folder, 'empty'), join(folder, 'linked'));
    await bucket.put('a', new Uint8Array(1));
    expect(await Array.fromAsync(bucket.list())).toEqual([{ key: 'a', size: 1 }]);
  });
});
