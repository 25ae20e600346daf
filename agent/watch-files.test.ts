import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../test/support/eventually.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { watchFiles } from './watch-files.ts';

async function watched(files: () => string[], times: { settleMs?: number; lookEveryMs?: number } = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const seen = { changes: 0 };
  const onChange = () => {
    seen.changes += 1;
  };
  await watchFiles({ files, onChange, settleMs: 20, ...times }, stop.signal);
  return seen;
}

const changes = (seen: { changes: number }, count: number) =>
  eventually(`${count} changes`, () => seen.changes >= count);

test('a file that is written in place, renamed over, removed and made again', async () => {
  const folder = await temporaryFolder({ a: '1' });
  const file = join(folder, 'a');
  const seen = await watched(() => [file]);
  await writeFile(file, '2');
  await changes(seen, 1);
  await writeFile(`${file}.swp`, '3');
  await rename(`${file}.swp`, file);
  await changes(seen, 2);
  await rm(file);
  await changes(seen, 3);
  await writeFile(file, '3');
  await changes(seen, 4);
  expect(seen.changes).toBe(4);
});

test('what leaves its content as it is, and other files of the folder, are no change', async () => {
  const folder = await temporaryFolder({ a: '1', b: '1' });
  const seen = await watched(() => [join(folder, 'a')]);
  await writeFile(join(folder, 'b'), '2');
  await writeFile(join(folder, 'a'), '1');
  await writeFile(join(folder, 'a'), '2');
  await changes(seen, 1);
  expect(seen.changes).toBe(1);
});

test('a folder that another takes the place of is looked into, if by the look that comes by itself', async () => {
  const folder = await temporaryFolder({ 'd/a': '1', 'e/a': '2' });
  const seen = await watched(() => [join(folder, 'd/a')], { lookEveryMs: 200 });
  await rename(join(folder, 'd'), join(folder, 'old'));
  await changes(seen, 1);
  await rename(join(folder, 'e'), join(folder, 'd'));
  await changes(seen, 2);
});

test('a file that comes to be watched later has not changed by that', async () => {
  const folder = await temporaryFolder({ a: '1', b: '1' });
  const files = [join(folder, 'a')];
  const seen = await watched(() => files);
  files.push(join(folder, 'b'));
  await writeFile(join(folder, 'a'), '2');
  await changes(seen, 1);
  await writeFile(join(folder, 'b'), '2');
  await changes(seen, 2);
  expect(seen.changes).toBe(2);
});
