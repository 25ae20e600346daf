import { symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { linuxFiles } from './linux-files.ts';

// Symbolic links need a privilege on Windows, where nothing reads Linux's files anyway.
const onPosix = test.skipIf(process.platform === 'win32');

test('what is missing or no file is null', async () => {
  const files = linuxFiles(await temporaryFolder({ 'etc/hosts': 'x' }));
  expect(await files.read('/etc/none')).toBeNull();
  expect(await files.read('/etc')).toBeNull();
  expect(await files.readBytes('/etc')).toBeNull();
  expect(await files.list('/etc/hosts')).toBeNull();
  expect(await files.link('/etc/hosts')).toBeNull();
});

test('text loses the white space at its end and U+0000, bytes lose nothing, names are sorted', async () => {
  const files = linuxFiles(await temporaryFolder({ 'sys/b': ' u\0p \n\n', 'sys/a': '' }));
  expect(await files.read('/sys/b')).toBe(' up');
  expect(await files.read('/sys/a')).toBe('');
  expect(Buffer.from((await files.readBytes('/sys/b')) ?? []).toString()).toBe(' u\0p \n\n');
  expect(await files.list('/sys')).toEqual(['a', 'b']);
});

test('a stamp tells that a file was written or a folder gained a name', async () => {
  const root = await temporaryFolder({ 'var/status': 'a' });
  const files = linuxFiles(root);
  const [status, folder] = [await files.stamp('/var/status'), await files.stamp('/var')];
  expect(await files.stamp('/var/status')).toBe(status);
  await writeFile(join(root, 'var/status'), 'longer');
  expect(await files.stamp('/var/status')).not.toBe(status);
  await writeFile(join(root, 'var/more'), '');
  await utimes(join(root, 'var'), 1, 1);
  expect(await files.stamp('/var')).not.toBe(folder);
  expect(await files.modifiedAt('/var')).toBe('1970-01-01T00:00:01.000Z');
  expect(await files.modifiedAt('/var/none')).toBeNull();
  expect(await files.stamp('/var/none')).toBeNull();
});

test('a long file is read no further than it matters', async () => {
  const files = linuxFiles(
    await temporaryFolder({ 'proc/table': `${'a'.repeat(100_000)}\n`, 'proc/none': '' }),
  );
  const pieces: number[] = [];
  const all = await files.readWhile('/proc/table', (piece) => pieces.push(piece.length) > 0);
  expect(all).toBe('a'.repeat(100_000));
  expect(pieces).toEqual([65_536, 34_465]);
  expect(await files.readWhile('/proc/table', () => false)).toBe('a'.repeat(65_536));
  expect(await files.readWhile('/proc/none', () => true)).toBe('');
  expect(await files.readWhile('/proc/missing', () => true)).toBeNull();
});

test('where a file lies', async () => {
  const root = await temporaryFolder({ 'var/status': 'a' });
  expect(await linuxFiles(root).locate('/var/status')).toBe(join(root, 'var/status'));
  expect(await linuxFiles(root).locate('/var/none')).toBeNull();
});

onPosix('links stay inside the root, absolute and climbing ones too', async () => {
  const root = await temporaryFolder({ 'usr/lib/os-release': 'inside\n', 'etc/x': '' });
  await symlink('/usr/lib/os-release', join(root, 'etc/absolute'));
  await symlink('../../../../../usr/lib/os-release', join(root, 'etc/climbing'));
  await symlink('absolute', join(root, 'etc/chained'));
  await symlink('loop', join(root, 'etc/loop'));
  const files = linuxFiles(root);
  expect(await files.read('/etc/absolute')).toBe('inside');
  expect(await files.read('/etc/climbing')).toBe('inside');
  expect(await files.read('/etc/chained')).toBe('inside');
  expect(await files.read('/etc/loop')).toBeNull();
  expect(await files.link('/etc/absolute')).toBe('/usr/lib/os-release');
});

test('an aborted signal rejects with its reason', async () => {
  const files = linuxFiles('/', AbortSignal.abort(new Error('out of time')));
  await expect(files.read('/etc/hosts')).rejects.toThrow('out of time');
  await expect(files.readBytes('/etc/hosts')).rejects.toThrow('out of time');
  await expect(files.list('/etc')).rejects.toThrow('out of time');
  await expect(files.link('/etc/localtime')).rejects.toThrow('out of time');
});
