/**
 * deb-suite: installs, upgrades, removes and purges the Debian package on this very machine, and leaves it as it was.
 *
 * The tests are steps of one life: each goes on from where the one before has come to.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { buildDeb } from '../../scripts/package/deb.ts';
import { startApi } from '../support/api-process.ts';
import { whenFileIsDone } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Exit, run } from '../support/process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const name = 'os-inspector-agent';
const program = `/usr/bin/${name}`;
const unit = `/usr/lib/systemd/system/${name}.service`;
const configFile = '/etc/os-inspector/agent.config.yaml';
const configFolder = '/etc/os-inspector';
const stateFolder = '/var/lib/os-inspector';
const cacheFolder = '/var/cache/os-inspector';

export const debNeeded = `needs root on Debian, without ${name} or ${configFolder}`;

/** Never over what somebody has installed. */
export function canInstallDeb(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const needed = ['dpkg', 'adduser', 'init-system-helpers'];
  const isMissing = needed.some((other) => spawnSync('dpkg-query', ['-s', other]).status !== 0);
  const isThere = [program, configFolder, stateFolder].some((path) => existsSync(path));
  return !isMissing && !isThere;
}

/** Whoever else installs something meanwhile is waited for. */
function dpkg(...args: string[]): Promise<Exit> {
  return eventually(
    'dpkg is free',
    async () => {
      const exit = await run('dpkg', args, { env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } });
      return /lock/.test(exit.stderr) ? null : exit;
    },
    { everyMs: 1_000 },
  );
}

async function installedVersion(): Promise<string | undefined> {
  const { stdout } = await run('dpkg-query', ['--status', name]);
  return /^Version: (.*)$/m.exec(stdout)?.[1];
}

function userId(): number | null {
  const { stdout, status } = spawnSync('id', ['-u', 'os-inspector'], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : null;
}

/** As the service would: its user, its state, its folder. */
function runAsService(...args: string[]): Promise<Exit> {
  const user = userId();
  if (user === null) throw new Error('there is no user os-inspector');
  const env = { STATE_DIRECTORY: stateFolder };
  return run(program, args, { user, cwd: configFolder, ownEnvironment: false, env });
}

const done = { code: 0, stderr: '' };

/** @param executable what the package is made of */
export function describeDeb(executable: () => string): void {
  let older: string;
  let newer: string;
  let hostId: string;

  beforeAll(async () => {
    const options = {
      executable: executable(),
      folder: await temporaryFolder(),
      compression: 'none',
    } as const;
    older = await buildDeb({ ...options, version: '0.0.1-rc.1' });
    newer = await buildDeb({ ...options, version: '0.0.1' });
    whenFileIsDone(() => dpkg('--purge', name));
  });

  test('installs with a user, a folder of state, and a unit that systemd understands', async () => {
    expect((await dpkg('--install', older)).code).toBe(0);
    const state = statSync(stateFolder);
    expect([state.uid, (state.mode & 0o777).toString(8)]).toEqual([userId(), '750']);
    expect(statSync(program).mode & 0o777).toBe(0o755);
    // A release candidate is before its release to Debian as well.
    expect(await installedVersion()).toBe('0.0.1~rc.1');
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) {
      console.warn('skipped: systemd-analyze verify: there is no systemd-analyze');
      return;
    }
    expect(await run('systemd-analyze', ['verify', unit])).toMatchObject(done);
  });

  test('its agent checks the config and reports, as the service would', async () => {
    const api = await startApi(await temporaryFolder());
    const config = readFileSync(configFile, 'utf8').replace('http://127.0.0.1:4000/graphql', api.url);
    writeFileSync(configFile, config);
    expect(await runAsService('check')).toMatchObject({ code: 0, stdout: expect.stringContaining(api.url) });
    expect(await runAsService('once')).toMatchObject({ ...done, stdout: 'success\n' });
    const { hosts } = await api.ask('{ hosts { nodes { id user { name } } } }');
    expect(hosts.nodes).toMatchObject([{ user: { name: 'os-inspector' } }]);
    hostId = hosts.nodes[0].id;
  });

  test('an upgrade keeps the config as it was changed, and the id of the host', async () => {
    const config = readFileSync(configFile, 'utf8');
    expect((await dpkg('--install', newer)).code).toBe(0);
    expect(await installedVersion()).toBe('0.0.1');
    expect(readFileSync(configFile, 'utf8')).toBe(config);
    const { stdout, stderr } = await runAsService('print');
    expect({ id: JSON.parse(stdout).host.id, stderr }).toEqual({ id: hostId, stderr: '' });
  });

  test('removed, it leaves config and state, so that installing it again goes on as before', async () => {
    const config = readFileSync(configFile, 'utf8');
    expect((await dpkg('--remove', name)).code).toBe(0);
    expect([program, unit].filter((path) => existsSync(path))).toEqual([]);
    expect(readFileSync(configFile, 'utf8')).toBe(config);
    expect(readdirSync(stateFolder)).toContain('host.json');
    expect((await dpkg('--install', newer)).code).toBe(0);
    expect(JSON.parse((await runAsService('print')).stdout).host.id).toBe(hostId);
  });

  test('purged, it leaves nothing', async () => {
    writeFileSync(`${configFolder}/agent.env`, 'OS_INSPECTOR_TOKEN=secret\n', { mode: 0o600 });
    // As systemd makes it, which does not run here.
    mkdirSync(cacheFolder, { recursive: true });
    expect((await dpkg('--purge', name)).code).toBe(0);
    expect(
      [program, unit, configFolder, stateFolder, cacheFolder].filter((path) => existsSync(path)),
    ).toEqual([]);
    expect(userId()).toBe(null);
    const traces = await run('find', ['/etc/systemd', '/var/lib/systemd', '-name', '*os-inspector*']);
    expect(traces.stdout).toBe('');
  });
}
