import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { node, repository, run } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;

// As npm would install the package: compiled, under node_modules, where Node strips no types.
beforeAll(async () => {
  folder = await temporaryFolder();
  const installed = join(folder, 'node_modules/os-inspector');
  mkdirSync(installed, { recursive: true });
  for (const name of ['bin', 'package.json'])
    cpSync(join(repository, name), join(installed, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(installed, 'node_modules'));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '--project', 'tsconfig.build.json', '--outDir', join(installed, 'dist')];
  expect(await run(node, args)).toMatchObject({ code: 0, stdout: '' });
});

test.each(Object.entries(packageJson.bin))('%s of the package runs what was compiled', async (name, file) => {
  const script = join(folder, 'node_modules/os-inspector', file);
  const { code, stdout } = await run(node, [script, '--help'], { cwd: folder });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`usage: ${name}`) });
});

test('the agent of the package collects, with a plugin that imports it by name', async () => {
  const plugin = `import { count, definePlugin } from 'os-inspector/plugin';
    export default definePlugin({
      name: 'rack', version: 1, description: 'x', facts: { row: count('x') }, collect: async () => ({ row: 7 }),
    });`;
  const cwd = await temporaryFolder({
    'rack.mjs': plugin,
    'agent.config.json': JSON.stringify({ plugins: ['cpu', 'user', 'os', 'network', './rack.mjs'] }),
  });
  const script = join(folder, 'node_modules/os-inspector/bin/os-inspector-agent.js');
  const { stdout } = await run(node, [script, 'print', '--state', join(cwd, 'state')], { cwd });
  const { agentVersion, results } = JSON.parse(stdout);
  expect(agentVersion).toBe(packageJson.version);
  expect(results.map(({ status }: { status: string }) => status)).toEqual(Array(5).fill('OK'));
});

test('what it exports for plugin authors is there, with types', () => {
  for (const target of Object.values(packageJson.exports['./plugin'])) {
    const path = join(folder, 'node_modules/os-inspector', target);
    expect(existsSync(path), target).toBe(true);
  }
});
