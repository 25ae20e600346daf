import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { runCommand } from './run-command.ts';

const here = (signal = new AbortController().signal) => ({ root: '/', signal });
const node = process.execPath;

test('what a program writes, in the language of no country', async () => {
  const script = 'process.stdout.write([process.env.LC_ALL, process.argv[1]].join(" "))';
  expect(await runCommand(node, ['-e', script, 'with a space'], here())).toBe('C with a space');
});

test('a program that is not there is no error', async () => {
  expect(await runCommand('no-such-program-anywhere', [], here())).toBeNull();
});

test('one that fails says why, unless its exit code is an answer', async () => {
  const fails = ['-e', 'console.log("half"); console.error("no right"); process.exit(3)'];
  await expect(runCommand(node, fails, here())).rejects.toThrow(`${node} failed: no right`);
  expect(await runCommand(node, fails, here(), [3])).toBe('half\n');
});

test('one that hangs ends with the signal', async () => {
  const stop = new AbortController();
  const hangs = runCommand(node, ['-e', 'setInterval(() => {}, 1000)'], here(stop.signal));
  stop.abort(new Error('out of time'));
  await expect(hangs).rejects.toThrow('out of time');
});

test('of a host elsewhere only what was recorded is known', async () => {
  const root = await temporaryFolder({ 'commands.json': JSON.stringify({ 'rpm -qa': 'bash' }) });
  const { signal } = here();
  expect(await runCommand('rpm', ['-qa'], { root, signal })).toBeNull();
  await writeFile(join(root, 'node-os.json'), '{}');
  expect(await runCommand('rpm', ['-qa'], { root, signal })).toBe('bash');
  expect(await runCommand(node, ['--version'], { root, signal })).toBeNull();
});
