import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hostWith, plugins, withoutTimes } from '../test/support/agent-host.ts';
import { runAgent } from '../test/support/agent-process.ts';
import { closedUrl, startStubApi } from '../test/support/stub-api.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

describe('print', () => {
  test('shows exactly what would be submitted, needs no address and no state folder', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ plugins });
    await runAgent(['once'], { cwd, env: { OS_INSPECTOR_URL: api.url } });
    const exit = await runAgent(['print'], { cwd });
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    const [printed, submitted] = [JSON.parse(exit.stdout), api.requests[0]?.variables.input].map(
      withoutTimes,
    );
    expect(printed).toEqual({
      ...submitted,
      id: expect.any(String),
      collectedAt: expect.any(String),
    });
    const homeless = await runAgent(['print', '--state', 'rack.ts'], { cwd });
    expect(homeless).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^note: cannot read the host id .* made up for this once\n$/),
    });
    expect(JSON.parse(homeless.stdout).host.id).not.toBe(submitted?.host.id);
    expect(api.requests).toHaveLength(1);
  });
});

describe('print and the host id', () => {
  const id = 'f4271aa0-4483-41f3-a0ac-28d3745f6527';

  test('an id of whatever machine is read, and nothing is written', async () => {
    const identity = JSON.stringify({ id, fingerprint: ['mac:other'] });
    const cwd = await hostWith({ plugins }, { 'state/host.json': identity });
    // The fingerprint of this root is of another machine than the file's.
    const root = { 'sys/class/net/eth0/address': '52:54:00:00:00:01', 'sys/class/net/eth0/device/x': '' };
    const exit = await runAgent(['print'], { cwd, env: { HOST_ROOT: await temporaryFolder(root) } });
    expect(exit).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(exit.stdout).host.id).toBe(id);
    expect(await readdir(join(cwd, 'state'))).toEqual(['host.json']);
    expect(await readFile(join(cwd, 'state/host.json'), 'utf8')).toBe(identity);
  });

  test('where there is none, one is made up for once', async () => {
    const cwd = await hostWith({ plugins });
    const [first, second] = [await runAgent(['print'], { cwd }), await runAgent(['print'], { cwd })];
    const message = `note: there is no host id in ${join(cwd, 'state')} yet; the host id below is made up`;
    expect(first.stderr).toContain(message);
    expect(JSON.parse(first.stdout).host.id).not.toBe(JSON.parse(second.stdout).host.id);
    expect(await readdir(cwd)).not.toContain('state');
  });
});

describe('HOST_ROOT', () => {
  test('a recorded host has an id of its own, and leaves that of the machine alone', async () => {
    const api = await startStubApi();
    const cwd = await hostWith({ api: { url: api.url }, plugins });
    const mac = '52:54:00:00:00:01\n';
    const recorded = (name: string) => ({
      [`${name}/node-os.json`]: '{}',
      [`${name}/etc/hostname`]: name,
      [`${name}/sys/class/net/eth0/address`]: mac,
      [`${name}/sys/class/net/eth0/device/vendor`]: '',
    });
    const hosts = await temporaryFolder({ ...recorded('a'), ...recorded('b') });
    await runAgent(['once'], { cwd });
    const own = await readFile(join(cwd, 'state/host.json'), 'utf8');
    for (const name of ['a', 'a', 'b']) {
      await runAgent(['once'], { cwd, env: { HOST_ROOT: join(hosts, name) } });
    }
    const sent = api.requests.map(({ variables }) => variables.input.host);
    expect(sent.slice(1).map(({ name }) => name)).toEqual(['a', 'a', 'b']);
    expect(sent[1].id).toBe(sent[2].id);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(3);
    expect(await readFile(join(cwd, 'state/host.json'), 'utf8')).toBe(own);
    const printed = await runAgent(['print'], { cwd, env: { HOST_ROOT: join(hosts, 'b') } });
    expect(JSON.parse(printed.stdout).host).toMatchObject({ id: sent[3].id, name: 'b' });
  });

  test.each(['print', 'once', 'check'])('that is no folder stops %s with exit 2', async (command) => {
    const cwd = await hostWith({ api: { url: await closedUrl() }, plugins });
    const HOST_ROOT = join(cwd, 'rack.ts');
    expect(await runAgent([command], { cwd, env: { HOST_ROOT } })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`  HOST_ROOT: ${HOST_ROOT} is no folder`),
    });
  });

  test('the name is that of the mounted files, not of the namespace that /proc answers for', async () => {
    const cwd = await hostWith(
      { plugins: ['os'] },
      { 'host/etc/hostname': 'web-1\n', 'host/proc/sys/kernel/hostname': 'container\n' },
    );
    const exit = await runAgent(['print'], { cwd, env: { HOST_ROOT: join(cwd, 'host') } });
    const { host, results } = JSON.parse(exit.stdout);
    expect([host.name, results[0].facts.hostname]).toEqual(['web-1', 'web-1']);
  });

  test.runIf(process.platform === 'linux')('a report has a name where the host has none', async () => {
    const cwd = await hostWith({ plugins: ['os'] }, { 'host/proc/sys/kernel/hostname': '(none)\n' });
    await writeFile(join(cwd, 'host/node-os.json'), '{}');
    const exit = await runAgent(['print'], { cwd, env: { HOST_ROOT: join(cwd, 'host') } });
    const { host, results } = JSON.parse(exit.stdout);
    expect([host.name, results[0].facts.hostname]).toEqual([hostname(), null]);
  });

  test('the name, and what plugins read, are of the host that is mounted there', async () => {
    const root = `export default {
      name: 'root', version: 1, description: 'Root',
      facts: { path: { kind: 'text', description: 'Path' } },
      collect: async ({ root }) => ({ path: root }),
    };`;
    const cwd = await hostWith(
      { plugins: ['./root.mjs'] },
      { 'root.mjs': root, 'host/etc/hostname': 'web-1\n' },
    );
    const exit = await runAgent(['print'], { cwd, env: { HOST_ROOT: join(cwd, 'host') } });
    expect(JSON.parse(exit.stdout)).toMatchObject({
      host: { name: 'web-1' },
      results: [{ facts: { path: join(cwd, 'host') } }],
    });
  });
});
