/** agent-suite: what an agent in one file does, with nothing of ours around it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { hostWith, plugins } from '../support/agent-host.ts';
import { startApi } from '../support/api-process.ts';
import { type Exit, type Running, start } from '../support/process.ts';
import { startStubApi } from '../support/stub-api.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** How it is started: a program, and what comes before the agent's own arguments. */
export type Packaged = () => { program: string; before: string[] };

/** As a package is written: JavaScript, found from the folder of the config. */
const acme = {
  'node_modules/@acme/hall/package.json': '{"type":"module","exports":{".":{"import":"./index.js"}}}',
  'node_modules/@acme/hall/index.js': `import { definePlugin, text } from 'os-inspector/plugin';
    import { hall } from './hall.js';
    export default definePlugin({
      name: 'hall', version: 1, description: 'x', facts: { hall: text('Hall') }, collect: async () => ({ hall }),
    });`,
  'node_modules/@acme/hall/hall.js': 'export const hall = "B";',
  'required.cjs': `const { count, definePlugin } = require('os-inspector/plugin');
    module.exports = definePlugin({
      name: 'required', version: 1, description: 'x', facts: { n: count('n') }, collect: async () => ({ n: 1 }),
    });`,
};
const own = [...plugins, '@acme/hall', './required.cjs'];

export function describeAgent(packaged: Packaged): void {
  /** No PATH: there is no Node to be found, nor any other program. */
  function startAgent(args: string[], cwd: string, env: Record<string, string> = {}): Running {
    const { program, before } = packaged();
    return start(program, [...before, ...args], {
      cwd,
      ownEnvironment: false,
      env: { PATH: '', HOME: cwd, STATE_DIRECTORY: join(cwd, 'state'), ...env },
    });
  }

  function runAgent(args: string[], cwd: string, env?: Record<string, string>): Promise<Exit> {
    return startAgent(args, cwd, env).exit;
  }

  test('tells its version and its usage', async () => {
    const cwd = await temporaryFolder();
    expect(await runAgent(['--version'], cwd)).toMatchObject({ code: 0, stdout: `${packageJson.version}\n` });
    expect(await runAgent(['--help'], cwd)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^usage: os-inspector-agent <command>/),
      stderr: '',
    });
  });

  test('collects with all built-in plugins and with the user’s own, in every form', async () => {
    const cwd = await hostWith({ plugins: ['cpu', 'user', 'os', 'network', ...own] }, acme);
    const { code, stdout } = await runAgent(['print'], cwd);
    const { agentVersion, results } = JSON.parse(stdout);
    expect({ code, agentVersion }).toEqual({ code: 0, agentVersion: packageJson.version });
    expect(results.map(({ status }: { status: string }) => status)).toEqual(Array(8).fill('OK'));
    expect(results.slice(4).map(({ facts }: { facts: object }) => facts)).toEqual([
      { row: 7 },
      { hall: 'B' },
      { hall: 'B' },
      { n: 1 },
    ]);
  });

  test('its reports are acknowledged, with facts of a plugin of the user', async () => {
    const api = await startApi(await temporaryFolder());
    const cwd = await hostWith({ api: { url: api.url }, plugins: ['os', ...plugins] });
    const exit = await runAgent(['once'], cwd);
    expect(exit).toMatchObject({ code: 0, stdout: 'success\n', stderr: '' });
    const { reports } = await api.ask('{ reports { nodes { os { platform } facts(plugin: "rack") } } }');
    expect(reports.nodes).toEqual([{ os: { platform: process.platform }, facts: { row: 7 } }]);
    expect(await runAgent(['check'], cwd)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('plugins: os, rack, plain\n'),
      stderr: '',
    });
  });

  test('runs as a daemon until it is told to stop', async () => {
    const api = await startStubApi();
    const agent = startAgent(['run'], await hostWith({ api: { url: api.url }, plugins }));
    await agent.waitFor(/"msg":"report submitted"/);
    if (process.platform === 'linux') {
      expect(await readFile(`/proc/${agent.child.pid}/environ`, 'utf8')).toContain('MALLOC_ARENA_MAX=1');
    }
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(api.requests[0]?.variables.input.results).toMatchObject([
      { facts: { row: 7 } },
      { facts: { hall: 'B' } },
    ]);
  });

  test('shows what a plugin of the user collects', async () => {
    const { code, stdout } = await runAgent(['plugins'], await hostWith({ plugins }));
    expect(code).toBe(0);
    expect(stdout).toContain('Row in the hall');
  });

  test('reads a config that is a module', async () => {
    const config = `import type { X } from './types.ts';
      export default { plugins: ['./rack.ts'].map((use): object => ({ use, options: { row: 3 } })) };`;
    const cwd = await hostWith({}, { 'own.config.ts': config });
    const { stdout } = await runAgent(['print', '--config', 'own.config.ts'], cwd);
    expect(JSON.parse(stdout).results).toMatchObject([{ plugin: 'rack', facts: { row: 3 } }]);
  });

  test('a plugin that loops for ever is ended at its timeout and costs its own result alone', async () => {
    const loop = `export default {
      name: 'loop', version: 1, description: 'x', facts: { n: { kind: 'count', description: 'n' } },
      collect: async () => { for (;;); },
    };`;
    const config = { plugins: [{ use: './loop.mjs', timeout: '500ms' }, './plain.mjs'] };
    const { stdout } = await runAgent(['print'], await hostWith(config, { 'loop.mjs': loop }));
    expect(JSON.parse(stdout).results).toMatchObject([
      { plugin: 'loop', status: 'TIMEOUT' },
      { plugin: 'plain', status: 'OK' },
    ]);
  });

  test.each([
    ['./none.ts', 'no plugin file'],
    ['netwrok', 'did you mean "network"'],
    ['@acme/none', 'a package must be installed'],
    ['./broken.ts', 'cannot load plugin ./broken.ts'],
  ])('says what is wrong with plugin %s', async (use, message) => {
    const cwd = await hostWith({ plugins: [use] }, { 'broken.ts': `import './not-there.ts';` });
    const { code, stderr } = await runAgent(['print'], cwd);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });
}
