import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runAgent } from '../support/agent-process.ts';
import { type ApiProcess, startApi } from '../support/api-process.ts';
import { testIf } from '../support/needs.ts';
import { node, repository, run } from '../support/process.ts';
import { hostRoot } from '../support/recorded-hosts.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const config = join(repository, 'examples/agent.config.json');

/** A host with what the rack plugin reads. */
const rackHost = {
  'sys/class/dmi/id/chassis_asset_tag': 'A-0042\n',
  'sys/class/thermal/thermal_zone0/temp': '27800\n',
};
const rackFacts = { row: 7, slot: 21, assetTag: 'A-0042' };

const folders = (process.env.PATH ?? '').split(delimiter);
const hasCurl = folders.some((folder) => existsSync(join(folder, 'curl')));
const isLinux = process.platform === 'linux';
const noCurl = 'there is no curl on this machine';
const notLinux = 'a recorded host is one of Linux';

let api: ApiProcess;

/** Submits a report of a recorded host, from an agent with a state of its own. */
async function submitFrom(host: string): Promise<void> {
  const env = { OS_INSPECTOR_URL: api.url, HOST_ROOT: hostRoot(host) };
  const { code, stdout } = await runAgent(['once'], { cwd: await temporaryFolder(), env });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'success\n' });
}

beforeAll(async () => {
  api = await startApi(await temporaryFolder(), { env: { PLUGINS: './examples/rack.ts' } });
});

test('the README of the examples has a line for each', async () => {
  const readme = await readFile(join(repository, 'examples/README.md'), 'utf8');
  const linked = [...readme.matchAll(/^\| \[([^\]]+)\]\(\1\)/gm)].map(([, name]) => name);
  const files = (await readdir(join(repository, 'examples'))).filter((name) => name !== 'README.md');
  expect(linked.sort()).toEqual(files.sort());
});

testIf(hasCurl, noCurl, 'curl.sh submits a report and asks for it back', async () => {
  const env = { OS_INSPECTOR_URL: api.url };
  const { code, stdout, stderr } = await run('examples/curl.sh', [], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [submitted, asked] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).data);
  expect(submitted.submitReport).toMatchObject({ duplicate: false, report: { id: expect.any(String) } });
  expect(asked.host).toEqual({
    name: 'from-curl',
    labels: { site: 'fra1' },
    os: { distribution: 'Debian GNU/Linux', version: '12' },
    facts: { row: 7 },
  });
});

testIf(hasCurl, noCurl, 'curl.sh fails when the API does', async () => {
  const env = { OS_INSPECTOR_URL: api.url.replace('/graphql', '/nowhere') };
  const { code, stderr } = await run('examples/curl.sh', [], { env });
  expect(code).not.toBe(0);
  expect(stderr).toContain('404');
});

testIf(isLinux, notLinux, 'graphql-request.ts lists every host, whatever the size of a page', async () => {
  const hosts = ['rocky-9-epyc-bond', 'debian-12-kvm', 'raspberry-pi-os-12'];
  for (const host of hosts) await submitFrom(host);
  const { hosts: known } = await api.ask('{ hosts { nodes { name } } }');
  const names = known.nodes.map(({ name }: { name: string }) => name);
  expect(names.length).toBeGreaterThanOrEqual(hosts.length);

  for (const pageSize of ['1', '2', '100']) {
    const { code, stdout } = await run(node, ['examples/graphql-request.ts', pageSize], {
      env: { OS_INSPECTOR_URL: api.url },
    });
    const lines = stdout.trimEnd().split('\n');
    expect(code).toBe(0);
    expect(lines.pop()).toBe(`${names.length} hosts`);
    expect(lines.map((line) => line.split('\t')[0])).toEqual(names);
    expect(stdout).toMatch(/^web1\tDebian GNU\/Linux\t12\t\d{4}-/m);
  }
});

describe('rack.ts', () => {
  async function printed(files: Record<string, string>) {
    const env = { HOST_ROOT: await temporaryFolder(files) };
    const exit = await runAgent(['print', '--config', config], { cwd: await temporaryFolder(), env });
    expect(exit).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^note: there is no host id [^\n]*\n$/),
    });
    const { results } = JSON.parse(exit.stdout) as { results: { plugin: string }[] };
    return results.find(({ plugin }) => plugin === 'rack');
  }

  testIf(isLinux, notLinux, 'is printed by the agent', async () => {
    expect(await printed(rackHost)).toMatchObject({
      status: 'OK',
      facts: rackFacts,
      readings: { temperatureCelsius: 27.8 },
    });
    expect(await printed({})).toMatchObject({
      status: 'OK',
      facts: { ...rackFacts, assetTag: null },
      readings: { temperatureCelsius: null },
    });
  });

  testIf(isLinux, notLinux, 'is typed and filterable where the API knows it', async () => {
    const env = { OS_INSPECTOR_URL: api.url, HOST_ROOT: await temporaryFolder(rackHost) };
    const exit = await runAgent(['once', '--config', config], { cwd: await temporaryFolder(), env });
    expect(exit.stdout).toBe('success\n');
    const { reports, none } = await api.ask(`{
      reports(filter: { rack: { row: { gte: 7 }, slot: { lt: 22 }, assetTag: { startsWith: "A-" } } }) {
        nodes { rack { row slot assetTag temperatureCelsius } }
      }
      none: reports(filter: { rack: { row: { gt: 7 } } }) { totalCount }
    }`);
    expect(reports.nodes).toEqual([{ rack: { ...rackFacts, temperatureCelsius: 27.8 } }]);
    expect(none.totalCount).toBe(0);
  });

  test('is described by the agent', async () => {
    const exit = await runAgent(['plugins', '--config', config], { cwd: await temporaryFolder() });
    expect(exit.stdout).toMatch(/temperatureCelsius +number +degrees Celsius +\S/);
  });

  test('with options that are wrong is a problem of the config', async () => {
    const use = { use: join(repository, 'examples/rack.ts'), options: { row: 0, shelf: 1 } };
    const cwd = await temporaryFolder({ 'agent.config.json': JSON.stringify({ plugins: [use] }) });
    const { code, stderr } = await runAgent(['print'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('plugins.0.options.row');
    expect(stderr).toContain('shelf');
  });
});
