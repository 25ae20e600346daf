import { expect, test } from 'vitest';
import { runAgent, startAgent } from '../support/agent-process.ts';
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
