import { copyFile, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, startAgent } from '../support/agent-process.ts';
import { type Exit, node, repository, run } from '../support/process.ts';
import { startStubApi } from '../support/stub-api.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const script = 'bin/os-inspector-agent.js';

/** Makes this Node take itself for an old one; the Node it starts in its place does not. */
const nodeArgs = [
  '--import',
  'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.1.0"})',
];

test('runs the agent', async () => {
  const exit = await runAgent(['--version'], { cwd: await temporaryFolder(), script });
  expect(exit).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test('under an old Node a checkout goes on with its own, and passes on the exit code', async () => {
  const exit = await runAgent(['nonsense'], { cwd: await temporaryFolder(), script, nodeArgs });
  expect(exit).toMatchObject({ code: 2, stderr: expect.stringContaining('unknown command "nonsense"') });
});

test('under an old Node signals are passed on', async () => {
  const api = await startStubApi();
  const cwd = await temporaryFolder();
  const agent = startAgent(['run'], { cwd, script, nodeArgs, env: { OS_INSPECTOR_URL: api.url } });
  await api.received(1);
  agent.child.kill('SIGTERM');
  expect(await agent.exit).toMatchObject({ code: 0, signal: null });
});

/** A folder as npm leaves it: our package with a main of its own, and the Node for this platform or none. */
async function installed(withNode: boolean): Promise<string> {
  const own = await readFile(join(repository, 'package.json'), 'utf8');
  const main = 'console.log(process.versions.node, process.argv.slice(2).join());';
  const folder = await temporaryFolder({
    'node_modules/os-inspector/package.json': own,
    'node_modules/os-inspector/dist/agent/main.js': main,
  });
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'os-inspector/bin'));
  for (const file of ['launch.js', 'os-inspector-agent.js']) {
    await copyFile(join(repository, 'bin', file), join(modules, 'os-inspector/bin', file));
  }
  const platform = `-${process.platform.replace('win32', 'win')}-${process.arch}`;
  const names = Object.keys(JSON.parse(own).optionalDependencies).filter((name) => name.endsWith(platform));
  expect(names).toHaveLength(1);
  for (const name of withNode ? names : []) {
    await symlink(join(repository, 'node_modules', name), join(modules, name), 'junction');
  }
  return folder;
}

function runInstalled(folder: string, args: string[]): Promise<Exit> {
  const launcher = join(folder, 'node_modules', script.replace('bin/', 'os-inspector/bin/'));
  return run(node, [...nodeArgs, launcher, ...args], { cwd: folder });
}

test('under an old Node an installed package goes on with the one installed beside it', async () => {
  const exit = await runInstalled(await installed(true), ['once', '--state=x']);
  expect(exit).toMatchObject({ code: 0, stdout: `${process.versions.node} once,--state=x\n`, stderr: '' });
});

test('under an old Node an installed package without one says what it needs', async () => {
  const exit = await runInstalled(await installed(false), ['once']);
  expect(exit).toMatchObject({ code: 1, stdout: '' });
  expect(exit.stderr).toMatch(/needs Node 26 or newer, and this is 20\.1\.0: install it from/);
});
