import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testIf } from '../../test/support/needs.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { canMountSmallDisk, mountSmallDisk, smallDiskNeeded } from '../../test/support/tmpfs.ts';
import { checkAgent, checkDisk, checkSpool, checkState } from './state-checks.ts';

test('a folder that is there, one that can be made, and one that cannot', async () => {
  const folder = await temporaryFolder({ file: 'x' });
  expect(await checkState(folder)).toMatchObject({
    status: 'OK',
    detail: expect.stringContaining('no host id yet'),
  });
  expect(await checkState(join(folder, 'a/b'))).toMatchObject({
    status: 'OK',
    detail: expect.stringContaining('can be made'),
  });
  expect(await checkState(join(folder, 'file/b'))).toMatchObject({
    status: 'FAILED',
    todo: expect.stringContaining('--state'),
  });
});

test('a host id that is damaged', async () => {
  const folder = await temporaryFolder({ 'host.json': '{' });
  expect(await checkState(folder)).toMatchObject({ status: 'FAILED' });
});

test('room for the spool, and too little', async () => {
  const folder = await temporaryFolder();
  expect(await checkDisk(folder, 1)).toMatchObject({ status: 'OK' });
  expect(await checkDisk(join(folder, 'not/yet'), 2 ** 60)).toMatchObject({
    status: 'WARNING',
    todo: expect.stringContaining('spool.maxSize'),
  });
});

testIf(canMountSmallDisk(), smallDiskNeeded, 'a disk that is full', async () => {
  const disk = await mountSmallDisk(256);
  await disk.fill();
  const full = await checkDisk(disk.folder, 2 ** 26);
  expect(full).toMatchObject({ status: 'FAILED', todo: expect.stringContaining('make room') });
  expect(full.detail).toMatch(/^0 B are free/);
});

testIf(
  canMountSmallDisk(),
  smallDiskNeeded,
  'a disk that can take no more files, though it has room',
  async () => {
    // A folder is one already.
    const { folder } = await mountSmallDisk(1_024, { files: 2 });
    expect(await checkDisk(folder, 1)).toMatchObject({ status: 'OK' });
    await writeFile(join(folder, 'last'), '');
    expect(await checkDisk(folder, 1)).toMatchObject({
      status: 'FAILED',
      detail: expect.stringContaining('out of inodes'),
    });
  },
);

test('reports that wait, and those that people should look at', async () => {
  const folder = await temporaryFolder();
  expect(await checkSpool(folder)).toMatchObject({ status: 'OK', detail: '0 reports wait, 0 B' });
  const name = '019b0000-0000-7000-8000-000000000001';
  await mkdir(join(folder, 'spool'));
  await mkdir(join(folder, 'dead-letter'));
  await writeFile(join(folder, 'spool', `${name}.report`), 'x'.repeat(2_048));
  await writeFile(join(folder, 'dead-letter', `${name}.json`), '{}');
  expect(await checkSpool(folder)).toMatchObject({
    status: 'WARNING',
    detail: '1 reports wait, 2.0 KiB; 1 refused for good in dead-letter/, each with the reason',
  });
  expect(await checkSpool(join(folder, 'spool', `${name}.report`))).toMatchObject({ status: 'FAILED' });
});

test('no agent', async () => {
  expect(await checkAgent(await temporaryFolder(), Date.now())).toMatchObject({ status: 'WARNING' });
  expect(await checkAgent(await temporaryFolder({ 'status.json': '{' }), 0)).toMatchObject({
    status: 'WARNING',
    detail: expect.stringContaining('status.json'),
  });
});
