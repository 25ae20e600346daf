import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testIf } from '../test/support/needs.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { makeFolder } from './make-folder.ts';

test('a folder with those above it, and one that is there', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a/b/c');
  await makeFolder(path, 0o700);
  expect((await stat(path)).isDirectory()).toBe(true);
  expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o700);
  await makeFolder(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test('not where a file is, and not below one', async () => {
  const folder = await temporaryFolder({ file: 'x' });
  await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(folder, 'file/a'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

testIf(
  process.platform === 'linux',
  'needs /proc, where nothing can be made',
  'where the system lets nobody make any it is told, and not tried for ever',
  () => expect(makeFolder('/proc/os-inspector/state')).rejects.toMatchObject({ code: 'ENOENT' }),
);
