/** What a plugin or a full disk does to the agent's output and exit code, with real processes. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { node, type Running, repository, start } from '../test/support/process.ts';
import { closedUrl, startStubApi } from '../test/support/stub-api.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

/** A plugin whose module begins with `atTop`, and whose collect does `inCollect`. */
const plugin = (atTop: string, inCollect = '') => `${atTop}
  export default {
    name: 'rack', version: 1, description: 'Where it stands',
    facts: { row: { kind: 'count', description: 'Row' } },
    async collect() { ${inCollect}; return { row: 7 }; },
  };`;

async function hostWith(rack: string, url?: string): Promise<string> {
  const config = { ...(url ? { api: { url } } : {}), interval: '1s', plugins: ['./rack.mjs'] };
  return temporaryFolder({ 'rack.mjs': rack, 'agent.config.json': JSON.stringify(config) });
}

describe('a plugin that prints', () => {
  const noisy = plugin(
    `console.log('loaded'); process.stdout.write('raw\\n');`,
    `console.log('collecting'); console.info('info')`,
  );

  test('does not come between the lines of a report', async () => {
    const exit = await runAgent(['print'], { cwd: await hostWith(noisy) });
    expect(JSON.parse(exit.stdout).results).toMatchObject([{ status: 'OK', facts: { row: 7 } }]);
    expect(exit.stderr).toMatch(/^loaded\nraw\n.*collecting\ninfo\n$/s);
  });

  test('leaves success the only line', async () => {
    const api = await startStubApi();
    const exit = await runAgent(['once'], { cwd: await hostWith(noisy, api.url) });
    expect(exit).toMatchObject({ code: 0, stdout: 'success\n' });
  });
});

describe('a plugin that calls process.exit', () => {
  test.each([
    ['while it collects', 'process.exit(0)', 'called process.exit(0)'],
    ['without a code', 'process.exit()', 'called process.exit(0)'],
  ])('%s costs its own result', async (_, inCollect, error) => {
    const api = await startStubApi();
    const cwd = await hostWith(plugin('', inCollect), api.url);
    expect(await runAgent(['once'], { cwd })).toMatchObject({ code: 0, stdout: 'success\n' });
    expect(api.requests[0]?.variables.input.results).toMatchObject([{ status: 'ERROR', error }]);
  });

  test('while it is loaded is a problem of the config', async () => {
    const cwd = await hostWith(plugin('process.exit(0);'));
    expect(await runAgent(['print'], { cwd })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('plugins.0: plugin ./rack.mjs called process.exit(0)'),
    });
  });

  test('does not end the daemon, which starts it anew', async () => {
    const api = await startStubApi();
    const agent = startAgent(['run'], { cwd: await hostWith(plugin('', 'process.exit(0)'), api.url) });
    await api.received(3);
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0, signal: null, stderr: '' });
    const results = api.requests.flatMap(({ variables }) => variables.input.results);
    expect(results.filter(({ status }) => status === 'ERROR').length).toBeGreaterThan(1);
  });
});

describe('a config file that calls process.exit', () => {
  const message = /error: something, such as the config file, ended the process before the command was done/;

  test('is a failure', async () => {
    const cwd = await temporaryFolder({ 'agent.config.mjs': 'process.exit(0);' });
    expect(await runAgent(['once'], { cwd })).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(message),
    });
    expect(await runAgent(['print'], { cwd })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  });
});

describe.runIf(process.platform === 'linux')('a disk that is full', () => {
  function startOnFullDisk(command: string, cwd: string): Running {
    const shell = ['-c', 'exec "$0" "$@" > /dev/full', node, join(repository, 'agent/main.ts'), command];
    const env = { PATH: process.env.PATH, HOME: cwd, STATE_DIRECTORY: join(cwd, 'state') };
    return start('sh', shell, { cwd, ownEnvironment: false, env });
  }

  test.each(['print', 'plugins', 'once', '--help'])('%s fails and says why', async (command) => {
    const api = await startStubApi();
    const cwd = await hostWith(plugin(''), api.url);
    const exit = await startOnFullDisk(command, cwd).exit;
    expect(exit.code).toBe(1);
    expect(exit.stderr).toMatch(/error: cannot write to standard output: ENOSPC.*\n$/);
    expect(exit.stderr).not.toContain('stray');
  });

  test('the daemon goes on without its log', async () => {
    const api = await startStubApi();
    const agent = startOnFullDisk('run', await hostWith(plugin(''), api.url));
    await api.received(3);
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0, signal: null, stderr: '' });
  });
});

test.runIf(process.platform === 'linux').each([
  ['--help', 0],
  ['print', 0],
  // What it ends with is about the report, not about who reads of it.
  ['once', 1],
])('a reader that has gone leaves the exit code of %s', async (command, code) => {
  const cwd = await hostWith(plugin(''), await closedUrl());
  const script = '"$0" "$@" | true; echo "$PIPESTATUS"';
  const exit = await start('bash', ['-c', script, node, join(repository, 'agent/main.ts'), command], {
    cwd,
    env: { STATE_DIRECTORY: join(cwd, 'state') },
  }).exit;
  expect(exit).toMatchObject({ stdout: `${code}\n` });
  expect(exit.stderr).not.toContain('error');
});
