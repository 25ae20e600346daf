import { chmod, mkdir, symlink } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeIf, testIf } from '../test/support/needs.ts';
import { run } from '../test/support/process.ts';
import { collectContext, collectIfAny, hostFile } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import containers from './containers.ts';
import { toContainers, toEngine } from './sources/engine-answers.ts';

/** What an engine answered, by path. */
const recorded = JSON.parse(hostFile('ubuntu-24.04-resolved', 'sockets.json'))['/run/docker.sock'];

async function listen(path: string, answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  return server;
}

/** A host in which an engine listens, and the paths it was asked. */
async function hostWith(answer: (url: string) => unknown, socket = 'run/docker.sock') {
  const root = await temporaryFolder({ 'run/x': '', 'run/podman/x': '' });
  const asked: string[] = [];
  await listen(join(root, socket), (request, response) => {
    asked.push(request.url ?? '');
    const said = answer(request.url ?? '');
    response
      .setHeader('content-type', 'application/json')
      .end(typeof said === 'string' ? said : JSON.stringify(said));
  });
  return { root, asked };
}

const context = (root: string, options = {}, cache = new Map()) => ({
  ...collectContext(root, cache),
  options,
});

describeIf(process.platform !== 'win32', 'unix sockets', 'an engine on a unix socket', () => {
  test('is asked for what it is once, and for its containers each time', async () => {
    const { root, asked } = await hostWith((url) => recorded[url]);
    const cache = new Map();
    const values = await collectIfAny(containers, context(root, {}, cache));
    expect(values).toEqual(JSON.parse(hostFile('ubuntu-24.04-resolved', 'expected.json')).containers);
    expect(await collectIfAny(containers, context(root, {}, cache))).toEqual(values);
    expect(asked.filter((url) => url === '/info')).toHaveLength(1);
    expect(asked.filter((url) => url.startsWith('/containers'))).toHaveLength(2);
  });

  test('tells nothing of command, environment and labels', async () => {
    const { root } = await hostWith((url) => recorded[url]);
    expect(JSON.stringify(recorded)).toContain('hidden');
    expect(JSON.stringify(await collectIfAny(containers, context(root)))).not.toContain('hidden');
  });

  test('that was replaced by a newer one is asked again what it is', async () => {
    let version = '28.1.1';
    const { root } = await hostWith((url) =>
      url === '/version' ? { Version: version } : url === '/info' ? { Driver: version } : [],
    );
    const cache = new Map();
    await collectIfAny(containers, context(root, {}, cache));
    version = '29.0.0';
    const values = await collectIfAny(containers, context(root, {}, cache));
    expect(values?.engines).toMatchObject([{ version, storageDriver: version }]);
  });

  test('beside another: both are told, and one of two names is asked once', async () => {
    const { root, asked } = await hostWith((url) => recorded[url]);
    await listen(join(root, 'run/podman/podman.sock'), (_request, response) => response.end('[]'));
    await mkdir(join(root, 'var'));
    await symlink('/run/docker.sock', join(root, 'var/docker.sock'));
    const sockets = ['/run/docker.sock', '/var/docker.sock', '/run/podman/podman.sock'];
    const values = await collectIfAny(containers, context(root, { sockets }));
    expect(values).toMatchObject({ engines: [{ socket: sockets[0] }, { socket: sockets[2] }], total: 4 });
    expect(asked).toHaveLength(3);
  });

  test('that is gone and left its socket behind is nothing to report, nor is none', async () => {
    const root = await temporaryFolder({ 'run/docker.sock': '' });
    expect(await collectIfAny(containers, context(root))).toBeNull();
    expect(await collectIfAny(containers, context(await temporaryFolder()))).toBeNull();
    const script = `
      const { createServer } = await import('node:net');
      createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'));`;
    const stale = await temporaryFolder({ 'run/x': '' });
    await run(process.execPath, ['--input-type=module', '--eval', script, join(stale, 'run/docker.sock')]);
    expect(await collectIfAny(containers, context(stale))).toBeNull();
  });

  test.each([
    [
      'no list',
      () => ({ message: 'page not found' }),
      'gives no list of containers: is it Docker or Podman?',
    ],
    ['no JSON', () => '<html>', 'gives no answer to /version: what it sends is not JSON'],
    ['too much', () => `"${'x'.repeat(17 * 1024 * 1024)}"`, 'it is longer than 16777216 bytes'],
  ])('that sends %s is an error', async (_what, answer, message) => {
    const { root } = await hostWith(answer);
    await expect(collectIfAny(containers, context(root))).rejects.toThrow(message);
  });

  test('that refuses says why', async () => {
    const root = await temporaryFolder({ 'run/x': '' });
    await listen(join(root, 'run/docker.sock'), (_request, response) => {
      response.writeHead(500).end('{"message":"daemon is shutting down"}');
    });
    await expect(collectIfAny(containers, context(root))).rejects.toThrow(
      'status 500: daemon is shutting down',
    );
  });

  test('that never answers ends with the signal', async () => {
    const root = await temporaryFolder({ 'run/x': '' });
    const stop = new AbortController();
    await listen(join(root, 'run/docker.sock'), () => stop.abort(new Error('out of time')));
    const asked = collectIfAny(containers, { ...context(root), signal: stop.signal });
    await expect(asked).rejects.toThrow('out of time');
  });
});

testIf(
  process.getuid?.() === 0,
  'needs root to become another user',
  'a socket that is not for the agent says what to do',
  async () => {
    const { root } = await hostWith((url) => recorded[url]);
    await chmod(root, 0o755);
    await chmod(join(root, 'run/docker.sock'), 0o660);
    const script = `
    const { default: plugin } = await import(${JSON.stringify(import.meta.resolve('./containers.ts'))});
    process.setgid(65534); process.setgroups([]); process.setuid(65534);
    const { signal } = new AbortController();
    const options = plugin.options.parse({});
    try { await plugin.collect({ root: process.argv[1], signal, options, cache: new Map() }); } catch (error) { console.log(error.message); }`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script, root]);
    expect(stdout).toContain(
      'no right to ask /run/docker.sock: run the agent as root or add its user to the group',
    );
  },
);

test('odd answers cost only what they lack', () => {
  expect(toEngine('/s', null, 7)).toEqual({
    socket: '/s',
    name: null,
    version: null,
    apiVersion: null,
    storageDriver: null,
    dataFolder: null,
    cgroupVersion: null,
    rootless: null,
  });
  expect(
    toEngine('/s', { Components: 'x' }, { SecurityOptions: ['name=rootless'], CgroupVersion: 2 }),
  ).toMatchObject({
    rootless: true,
    cgroupVersion: '2',
  });
  const odd = [
    null,
    'x',
    {},
    { Id: '' },
    { Id: 'b'.repeat(64), Names: ['/web/db', '/db'], Created: '2025-05-10T08:00:00Z' },
  ];
  expect(toContainers('/s', odd)).toMatchObject([
    { id: 'b'.repeat(12), name: 'db', createdAt: '2025-05-10T08:00:00.000Z', networks: null, ports: [] },
  ]);
  const ports = [
    { PrivatePort: 0 },
    { PrivatePort: 80, IP: 'fe80::1%eth0', PublicPort: 70_000, Type: 'tcp' },
  ];
  expect(toContainers('/s', [{ Id: 'c', Created: 1e300, Ports: ports, Names: null }])).toMatchObject([
    { name: null, createdAt: null, ports: [{ containerPort: 80, address: null, hostPort: null }] },
  ]);
});
