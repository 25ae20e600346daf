/** What the documents tell to write and to ask, done with real processes on a recorded host. */
import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { runAgent } from '../support/agent-process.ts';
import { type ApiProcess, startApi } from '../support/api-process.ts';
import {
  answers,
  configs,
  english,
  inLanguage,
  pluginFiles,
  programs,
  sources,
  spanish,
  titled,
} from '../support/documents.ts';
import { describeIf } from '../support/needs.ts';
import { node, run } from '../support/process.ts';
import { pythonReport } from '../support/python-reports.ts';
import { hostRoot } from '../support/recorded-hosts.ts';
import { hostId } from '../support/reports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A host that queries of the documents ask for. */
const clonedHost = `mutation {
  submitReport(
    input: {
      host: { id: "${hostId(2)}", name: "web-2", clonedFrom: "${hostId(1)}" }
      collectedAt: "2026-05-01T00:00:00Z"
      results: []
    }
  ) { duplicate }
}`;

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.warn('skipped: the plugin in Python: needs python3, the Debian package python3');

const isLinux = process.platform === 'linux';

describeIf(isLinux, 'a recorded host is one of Linux', 'on a recorded host', () => {
  let folder: string;
  let api: ApiProcess;
  const env: Record<string, string> = { BADGE_KEY: 'a key that no document shows' };

  beforeAll(async () => {
    const root = await temporaryFolder();
    await cp(hostRoot('debian-12-kvm'), root, { recursive: true, verbatimSymlinks: true });
    const swaps = ['Filename Type Size Used Priority', '/dev/vda2 partition 1048572 2048 -2', ''];
    await mkdir(join(root, 'proc'), { recursive: true });
    await writeFile(join(root, 'proc/swaps'), swaps.join('\n'));
    await writeFile(join(root, 'proc/mounts'), '/dev/vda1 / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n');
    await writeFile(join(root, 'etc/rack-label.json'), '{ "room": "B2", "row": 7 }');

    const uses = pluginFiles.map((name) => `./${name}`);
    const options = configs.flatMap(({ text }) => JSON.parse(text).plugins ?? []);
    const plugins = uses.map((use) => options.find((entry) => entry.use === use) ?? use);
    const commands = options.filter(({ use, name }) => use === 'exec' && (hasPython || name !== 'mounts'));
    const config = JSON.stringify({ plugins: ['cpu', 'user', 'os', 'network', ...plugins, ...commands] });
    folder = await temporaryFolder({
      ...sources,
      ...programs,
      'agent.config.json': config,
      'package.json': '{ "type": "module" }',
    });
    for (const name of Object.keys(programs)) await chmod(join(folder, name), 0o755);
    api = await startApi(folder, { env: { PLUGINS: uses.map((use) => resolve(folder, use)).join(',') } });
    Object.assign(env, { HOST_ROOT: root, OS_INSPECTOR_URL: api.url });
    expect(await runAgent(['once'], { cwd: folder, env })).toMatchObject({ code: 0, stdout: 'success\n' });
    const reportUrl = new URL('/report', api.url);
    const headers = { 'content-type': 'application/json' };
    // From the host of the Python system that a query of the documents asks for.
    const body = JSON.stringify(pythonReport);
    const response = await fetch(reportUrl, { method: 'POST', headers, body });
    expect(await response.json()).toEqual({ status: 'success' });
    await api.ask(clonedHost);
  });

  test('every plugin of the documents collects what it declares', async () => {
    expect(pluginFiles.length).toBeGreaterThanOrEqual(4);
    const { code, stdout, stderr } = await runAgent(['print'], { cwd: folder, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { results } = JSON.parse(stdout) as { results: Record<string, unknown>[] };
    const [machine, ...others] = results.slice(4);
    expect(results.map(({ status, error }) => [status, error])).toEqual(results.map(() => ['OK', null]));
    expect(machine).toMatchObject({ facts: { model: 'Standard PC (i440FX + PIIX, 1996)' } });
    const told = Object.fromEntries(
      others.map(({ plugin, facts, readings }) => [plugin, { facts, readings }]),
    );
    expect(told).toEqual({
      runtime: { facts: { node: process.versions.node, openssl: process.versions.openssl }, readings: null },
      site: { facts: { room: 'B2', row: 7 }, readings: null },
      badge: { facts: { keyId: expect.stringMatching(/^[0-9a-f]{12}$/) }, readings: null },
      swap: {
        facts: { devices: [{ device: '/dev/vda2', totalBytes: 1_073_737_728 }] },
        readings: { usedBytes: 2_097_152 },
      },
      rackLabel: { facts: { room: 'B2', row: 7 }, readings: null },
      ...(hasPython && { mounts: { facts: { types: ['ext4', 'tmpfs'] }, readings: { mountCount: 2 } } }),
    });
  });

  test.each([
    ['{}', 'machine.ts', expect.stringContaining('MODULE_TYPELESS_PACKAGE_JSON')],
    ['{ "type": "commonjs" }', 'machine.mts', expect.stringMatching(/^note: there is no host id [^\n]*\n$/)],
  ])('beside a package.json that holds %s, %s is loaded', async (packageFile, name, stderr) => {
    const cwd = await temporaryFolder({
      'package.json': packageFile,
      [name]: sources['machine.ts'] ?? '',
      'agent.config.json': JSON.stringify({ plugins: [`./${name}`] }),
    });
    const exit = await runAgent(['print'], { cwd, env });
    expect({ code: exit.code, stderr: exit.stderr }).toEqual({ code: 0, stderr });
    expect(JSON.parse(exit.stdout).results[0].status).toBe('OK');
  });

  test('the tests of the guide pass', async () => {
    const names = Object.keys(sources).filter((name) => name.includes('.test.'));
    const { code, stdout } = await run(node, ['--test', '--test-reporter=tap', ...names], {
      cwd: folder,
      // Otherwise Node takes itself for a part of this run.
      env: { NODE_TEST_CONTEXT: undefined },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^# pass 2$/m) });
  });

  test.each(titled(inLanguage('graphql')))('the query at %s gets its answer', async (_at, block) => {
    const data = await api.ask(block.text);
    const [list] = Object.values<{ nodes: unknown[] }>(data);
    expect(list?.nodes.length).toBeGreaterThan(0);
    const answer = answers.get(block);
    if (answer) expect({ data }).toEqual(JSON.parse(answer));
  });

  test('there is an answer to compare in each README', () => {
    expect([...answers.keys()].map(({ file }) => file)).toEqual([english, spanish]);
  });
});
