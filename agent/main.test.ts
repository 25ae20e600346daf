import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { files, hostWith, plugins } from '../test/support/agent-host.ts';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { closedUrl, startStubApi } from '../test/support/stub-api.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

const token = 's3cret-t0ken';

describe('check', () => {
  test('an API that answers is exit 0', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins });
    const exit = await runAgent(['check'], { cwd });
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    expect(exit.stdout).toContain('agent.config.json: no problems\nplugins: rack, plain\n');
    expect(exit.stdout).toContain(`api: ${api.url} answers`);
  });

  test('an API that does not is exit 1', async () => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, plugins });
    const exit = await runAgent(['check'], { cwd });
    expect(exit).toMatchObject({ code: 1, stdout: expect.stringContaining('api: cannot reach the API at') });
  });

  test('every problem is listed at once, exit 2', async () => {
    const rack = { use: './rack.ts', options: { row: 'x' } };
    const cwd = await hostWith({ intervall: '5m', api: { url: 'ftp://x' }, plugins: [rack, 'networc'] });
    const exit = await runAgent(['check'], { cwd, env: { OS_INSPECTOR_TOKEN: 'a b' } });
    expect(exit).toMatchObject({ code: 2, stdout: '' });
    const [title, ...problems] = exit.stderr.trim().split('\n');
    expect(title).toBe('agent.config.json has 5 problems:');
    expect(problems.map((line) => line.replace(/^ {2}(\S+): .*/, '$1')).sort()).toEqual(
      ['OS_INSPECTOR_TOKEN', 'api.url', 'intervall', 'plugins.0.options.row', 'plugins.1'].sort(),
    );
  });
});

describe('run', () => {
  test('submits at once and every interval, and SIGTERM ends it with exit 0', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, interval: '1s', plugins });
    const agent = startAgent(['run'], { cwd, env: { OS_INSPECTOR_TOKEN: token } });
    await api.received(2);
    agent.child.kill('SIGTERM');
    const exit = await agent.exit;
    expect(exit).toMatchObject({ code: 0, signal: null, stderr: '' });
    const lines = exit.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      msg: 'agent started',
      config: join(cwd, 'agent.config.json'),
      url: api.url,
      interval: '1s',
      plugins: ['rack', 'plain'],
    });
    expect(lines[1]).toMatchObject({
      msg: 'report submitted',
      reportId: api.requests[0]?.variables.input.id,
    });
    expect(lines.at(-1)).toMatchObject({ msg: 'agent stopped', reason: 'told to stop by SIGTERM' });
    expect(exit.stdout).not.toContain(token);
    expect(api.requests[0]?.variables.input.intervalSeconds).toBe(1);
  });

  test('an API that is down does not stop it, and its failure is logged', async () => {
    const url = await closedUrl();
    const cwd = await hostWith({ api: { url }, plugins });
    const agent = startAgent(['run'], { cwd });
    await new Promise<void>((resolve) => {
      agent.child.stdout?.on('data', (chunk) => `${chunk}`.includes('report not submitted') && resolve());
    });
    agent.child.kill('SIGINT');
    const exit = await agent.exit;
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.stdout).toContain('connection refused');
  });

  test.each([
    ['a plugin hangs', ['./hang.mjs'], 'agent started'],
    ['the server hangs', ['./plain.mjs'], null],
  ])('is stopped promptly while %s', async (_, plugins, message) => {
    const api = await startStubApi(() => {});
    const cwd = await hostWith({ api: { url: api.url }, timeout: '1h', plugins });
    const agent = startAgent(['run'], { cwd });
    const logged = new Promise<void>((resolve) => {
      agent.child.stdout?.on('data', (chunk) => `${chunk}`.includes(message ?? '') && resolve());
    });
    await (message ? logged : api.received(1));
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0, signal: null });
  });

  test('is stopped while a plugin is still loading', async () => {
    const slow = `console.error('loading'); await new Promise(() => setInterval(() => {}, 1000));`;
    const cwd = await hostWith(
      { api: { url: await closedUrl() }, plugins: ['./slow.mjs'] },
      { 'slow.mjs': slow },
    );
    const agent = startAgent(['run'], { cwd });
    await new Promise((resolve) => agent.child.stderr?.once('data', resolve));
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0, signal: null });
  });

  test('a wrong config stops the start with exit 2, before anything is sent', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, interval: 'often' });
    const exit = await runAgent(['run'], { cwd });
    expect(exit).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('interval: must be') });
    expect(api.requests).toEqual([]);
  });

  test('a state folder that cannot be used is exit 1', async () => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, plugins });
    const exit = await runAgent(['run', '--state', 'rack.ts'], { cwd });
    expect(exit).toMatchObject({ code: 1, stdout: expect.stringContaining('--state') });
  });
});

describe('plugins', () => {
  test('shows what each configured plugin collects', async () => {
    const { code, stdout } = await runAgent(['plugins'], { cwd: await hostWith({ plugins }) });
    expect(code).toBe(0);
    expect(stdout).toContain('rack (version 2): Where it stands\n  facts\n    row  count  ');
    expect(stdout).toMatch(/ {4}heat {2}number {2}celsius {2}Heat\n/);
  });
});

describe('the command line', () => {
  test('help is on stdout with exit 0; no or a wrong command on stderr with exit 2', async () => {
    const cwd = await temporaryFolder();
    const help = await runAgent(['--help'], { cwd });
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/^usage: /), stderr: '' });
    const nothing = await runAgent([], { cwd });
    expect(nothing).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('usage: ') });
    const wrong = await runAgent(['onec'], { cwd });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean "once"?') });
    expect((await runAgent(['--version'], { cwd })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('no address anywhere says where it can be set and where was looked, exit 2', async () => {
    const cwd = await temporaryFolder();
    const { code, stderr } = await runAgent(['once'], { cwd });
    expect(code).toBe(2);
    for (const hint of [
      'api.url',
      cwd,
      '/etc/os-inspector',
      'OS_INSPECTOR_URL',
      'agent.config.example.json',
    ]) {
      expect(stderr).toContain(hint);
    }
  });

  test('a config that is missing or does not parse is named, exit 2', async () => {
    const cwd = await temporaryFolder({ 'agent.config.json': '{ "interval" }' });
    const missing = await runAgent(['print', '--config', 'no.json'], { cwd });
    expect(missing).toMatchObject({ code: 2, stderr: `no config file ${join(cwd, 'no.json')}\n` });
    const broken = await runAgent(['print'], { cwd });
    expect(broken).toMatchObject({ code: 2, stderr: expect.stringMatching(/agent\.config\.json: .*JSON/) });
  });

  test('a config in TypeScript names plugins relative to its own folder', async () => {
    const cwd = await temporaryFolder(files);
    await mkdir(join(cwd, 'elsewhere'));
    const config = `export default { plugins: ['../plain.mjs' as string] };`;
    await writeFile(join(cwd, 'elsewhere/mine.ts'), config);
    const exit = await runAgent(['print', '--config', 'elsewhere/mine.ts'], { cwd });
    expect(JSON.parse(exit.stdout).results).toMatchObject([{ plugin: 'plain', status: 'OK' }]);
  });

  test.each([
    ['agent.config.ts', /; write "type": "module" in the package\.json above it\n$/],
    ['agent.config.js', /; name it agent\.config\.mjs, or write "type": "module" in/],
  ])('%s that a package.json makes CommonJS is told the way out', async (name, stderr) => {
    const cwd = await temporaryFolder({
      [name]: 'export default {};',
      'package.json': '{"type":"commonjs"}',
    });
    expect(await runAgent(['print'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(stderr),
    });
  });
});
