import { existsSync } from 'node:fs';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { runAgent } from '../support/agent-process.ts';
import { type ApiProcess, startApi } from '../support/api-process.ts';
import { testIf } from '../support/needs.ts';
import { node, repository, run, start } from '../support/process.ts';
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
const { stdout: requests } = await run('python3', ['-c', 'import requests; print(requests.__version__)']);
const hasRequests = requests !== '';
const noRequests = 'needs the Debian package python3-requests';
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

/** A report of a host that has taken this kernel. */
async function submitKernel(kernel: string): Promise<void> {
  const { submitReport } = await api.ask(
    'mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate } }',
    {
      input: {
        host: { id: '0190c5a4-6b1e-7c3d-9e2f-3a5b7c9d0000', name: 'moving' },
        collectedAt: new Date().toISOString(),
        results: [
          {
            plugin: 'os',
            version: 1,
            status: 'OK',
            facts: { platform: 'linux', distribution: 'Debian', kernel },
          },
        ],
      },
    },
  );
  expect(submitReport.duplicate).toBe(false);
}

describe('typed-client.ts', () => {
  test('lists what changed, with the types of its query', async () => {
    await submitKernel('6.1.0-34');
    await submitKernel('6.1.0-37');
    const env = { OS_INSPECTOR_URL: api.url };
    const { code, stdout, stderr } = await run(node, ['examples/typed-client.ts', '1'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\S+Z\tmoving\t6\.1\.0-37\tos\.kernel\t"6\.1\.0-34" -> "6\.1\.0-37"$/m);
    expect(stdout).toMatch(/^\d+ changes$/m);
  });

  test.each([
    ['as it is', '', '', 0, ''],
    ['a field that the schema does not have', 'distribution kernel }', 'distribution kernal }', 1, 'kernel'],
    ['a field that the query does not ask for', 'os?.kernel', 'os?.version', 1, "'version' does not exist"],
    ['a variable of another type', '{ since, after }', '{ since: 1, after }', 1, 'since'],
    ['a variable that is missing', '{ since, after }', '{ after }', 1, 'since'],
  ])('is checked by tsc: %s', async (_what, from, to, wanted, message) => {
    const source = await readFile(join(repository, 'examples/typed-client.ts'), 'utf8');
    expect(source).toContain(from);
    const cwd = await temporaryFolder({
      'typed-client.ts': source.replace(from, to),
      'schema.d.ts': await readFile(join(repository, 'examples/schema.d.ts'), 'utf8'),
      'package.json': '{ "type": "module" }',
      'tsconfig.json': JSON.stringify({
        extends: join(repository, 'tsconfig.json'),
        include: ['*.ts'],
      }),
    });
    await symlink(join(repository, 'node_modules'), join(cwd, 'node_modules'));
    const { code, stdout } = await run(node, [join(repository, 'node_modules/typescript/bin/tsc')], { cwd });
    expect({ failed: Number(code !== 0), stdout }).toEqual({
      failed: wanted,
      stdout: expect.stringContaining(message),
    });
  });
});

testIf(hasRequests, noRequests, 'fleet.py counts hosts and lists those with an old kernel', async () => {
  await submitKernel('6.1.9');
  const env = { OS_INSPECTOR_URL: api.url };
  const { code, stdout, stderr } = await run('python3', ['examples/fleet.py', '6.1.90'], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^\d+\tDebian\t/m);
  expect(stdout).toMatch(/^moving\tONLINE\t6\.1\.9$/m);
});

testIf(hasRequests, noRequests, 'fleet.py says what is wrong with what it asks', async () => {
  const env = { OS_INSPECTOR_URL: api.url };
  const { code, stderr } = await run('python3', ['examples/fleet.py', 'newest'], { env });
  expect(code).toBe(1);
  expect(stderr).toContain('filter.os.kernel.lt: not a version such as 6.1.90: "newest"');
});

testIf(hasCurl, noCurl, 'live.sh shows reports and changes as they come in', async () => {
  const env = { OS_INSPECTOR_URL: api.url };
  const live = [
    start('examples/live.sh', ['reports'], { env }),
    start('examples/live.sh', ['changes'], { env }),
  ];
  const shown = Promise.all([
    live[0]?.waitFor(/"name":"moving".*"kernel":"5\.[0-9.]+"/),
    live[1]?.waitFor(/"path":"os.kernel","before":"[0-9.]+","after":"5\.[0-9.]+"/),
  ]);
  // What came before it listened is not told, and when it does nobody says.
  let done = false;
  shown.finally(() => {
    done = true;
  });
  for (let number = 0; !done; number += 1) {
    await submitKernel(`5.${number}`);
    await Promise.race([shown, delay(100)]);
  }
  expect(await shown).toHaveLength(2);
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
