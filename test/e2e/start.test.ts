import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask } from '../support/api-process.ts';
import { node, repository, run, start } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Another working folder, so that stores and config of the checkout are left alone. */
async function startAll(env: Record<string, string> = {}) {
  const cwd = await temporaryFolder();
  const script = join(repository, 'scripts/start.ts');
  return { cwd, running: start(node, [script], { cwd, env: { PORT: '0', ...env } }) };
}

test('npm start prints the first report and the address, answers with this host, and stops cleanly', async () => {
  const { cwd, running } = await startAll();
  const [, url = ''] = await running.waitFor(/GraphiQL: (\S+)/);
  expect(running.output()).toContain('The first report of this host');

  // The query of the README, on this very machine.
  const { reports } = (await ask(
    url,
    `{ reports(first: 1) { nodes {
      host { name } os { distribution version kernel } cpu { model threads } network { primaryAddress } user { name }
    } } }`,
  )) as { reports: { nodes: Record<string, Record<string, unknown>>[] } };
  const [report] = reports.nodes;
  const addresses = Object.values(os.networkInterfaces()).flatMap((list) =>
    list?.map(({ address }) => address),
  );
  expect(report).toMatchObject({
    host: { name: os.hostname() },
    os: { kernel: os.release() },
    cpu: { threads: os.cpus().length },
    user: { name: os.userInfo().username },
  });
  if (existsSync('/etc/os-release')) {
    const release = readFileSync('/etc/os-release', 'utf8');
    expect(release).toContain(`NAME="${report?.os?.distribution}"`);
  }
  const primary = report?.network?.primaryAddress;
  if (primary !== null) expect(addresses).toContain(primary);

  expect(existsSync(join(cwd, 'data/bucket'))).toBe(true);
  running.child.kill('SIGINT');
  expect(await running.exit).toMatchObject({ code: 0, signal: null });
  await expect(fetch(url)).rejects.toThrow();
  expect(running.output()).not.toMatch(/"level":[56]0/);
});

test('when whoever started it is gone it stops by itself', async () => {
  const cwd = await temporaryFolder();
  const script = join(repository, 'scripts/start.ts');
  // Ends at once by SIGKILL, and so passes nothing on.
  const parent = start('sh', ['-c', `"${node}" "${script}" & wait`], { cwd, env: { PORT: '0' } });
  const [, url = ''] = await parent.waitFor(/GraphiQL: (\S+)/);
  parent.child.kill('SIGKILL');
  // Its output is closed only once the last process that holds it has ended.
  await parent.exit;
  await expect(fetch(url)).rejects.toThrow();
});

test('npm start with a port that is taken says so and ends', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { running } = await startAll({ PORT: String(port) });
  expect(await running.exit).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('it is taken; set PORT'),
  });
  server.close();
});

test.each([
  [{ PORT: '99999' }, 'PORT: must be a whole number from 0 to 65535'],
  [{ BUCKET_URL: 'ftp://x' }, 'BUCKET_URL: must begin with file: or s3://'],
  [{ PORT: 'x', INDEX_URL: 'mysql://x' }, 'INDEX_URL: must begin with sqlite:'],
  [{ PLUGINS: 'netwrk' }, 'did you mean \\"network\\"?'.replaceAll('\\', '')],
])('the API does not start with %j, and says why', async (env, message) => {
  const cwd = await temporaryFolder();
  const exit = await run(node, [join(repository, 'api/main.ts')], { cwd, env });
  expect(exit).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});

test('a wrong command is answered with the usage', async () => {
  const exit = await run(node, ['api/main.ts', 'sevre']);
  expect(exit).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/unknown command "sevre"[\s\S]*usage:/),
  });
  expect(await run(node, ['api/main.ts', '--help'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('BUCKET_URL'),
  });
});
