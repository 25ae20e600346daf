import { execFileSync } from 'node:child_process';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testIf } from '../test/support/needs.ts';
import { collectContext, collectIfAny } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import services from './services.ts';
import { linuxFiles } from './sources/linux-files.ts';
import { startOf, toSystemdServices } from './sources/services.linux.ts';
import { parseServiceUnit } from './sources/systemd-unit.ts';
import { readSystemdServices } from './sources/systemd-units.ts';

/** Every service that systemd knows of on this host, which need not run it; null where there is none to ask. */
function askSystemctl(): string[][] | null {
  const args = ['--root=/', 'list-unit-files', '--type=service', '--no-legend', '--no-pager'];
  try {
    return execFileSync('systemctl', args, { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  } catch {
    return null;
  }
}

const asked = askSystemctl();
testIf(asked !== null, 'needs systemctl', 'this host: enabled is what systemctl tells', async () => {
  const told = await readSystemdServices(linuxFiles('/'), new Map());
  const known = (asked ?? []).filter(([unit, state]) => !unit?.endsWith('@.service') && state !== 'alias');
  const byName = new Map(told.map(({ name, enabled }) => [`${name}.service`, enabled]));
  expect(known.map(([unit = '']) => [unit, byName.get(unit)])).toEqual(
    known.map(([unit, state]) => [unit, state]),
  );
  expect(known.length).toBeGreaterThan(0);
});

test('where no service manager runs there is nothing to report', async () => {
  const root = await temporaryFolder({ 'usr/lib/systemd/system/cron.service': '[Service]\nExecStart=/x\n' });
  expect(await collectIfAny(services, collectContext(root))).toBeNull();
});

test('a service that ends, is enabled or is masked is seen at the next collection', async () => {
  const root = await temporaryFolder({
    'run/systemd/system/x': '',
    'etc/systemd/system/multi-user.target.wants/x': '',
    'usr/lib/systemd/system/web.service':
      '[Service]\nExecStart=/web\n[Install]\nWantedBy=multi-user.target\n',
    'sys/fs/cgroup/system.slice/web.service/cgroup.procs': '17\n18\n',
  });
  const context = collectContext(root);
  const told = async () => (await collectIfAny(services, context))?.services;
  const web = { name: 'web', description: null, type: 'simple' };
  expect(await told()).toEqual([{ ...web, enabled: 'disabled', running: true }]);
  await rm(join(root, 'sys/fs/cgroup/system.slice/web.service'), { recursive: true });
  expect(await told()).toEqual([{ ...web, enabled: 'disabled', running: false }]);
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants/web.service');
  await symlink('/usr/lib/systemd/system/web.service', wants);
  expect(await told()).toEqual([{ ...web, enabled: 'enabled', running: false }]);
  await symlink('/dev/null', join(root, 'etc/systemd/system/web.service'));
  expect(await told()).toEqual([{ ...web, enabled: 'masked', type: null, running: null }]);
});

test('what is read is kept until a folder changes', async () => {
  const unit = '[Service]\nExecStart=/web\n';
  const root = await temporaryFolder({ 'usr/lib/systemd/system/web.service': unit });
  const [files, cache] = [linuxFiles(root), new Map()];
  const first = await readSystemdServices(files, cache);
  expect(await readSystemdServices(files, cache)).toBe(first);
  await writeFile(join(root, 'usr/lib/systemd/system/new'), `[Unit]\nDescription=A web\n${unit}`);
  await rename(join(root, 'usr/lib/systemd/system/new'), join(root, 'usr/lib/systemd/system/web.service'));
  expect(await readSystemdServices(files, cache)).toMatchObject([{ name: 'web', description: 'A web' }]);
});

test('an instance of a template is a service where something wants it, the template is none', async () => {
  const root = await temporaryFolder({
    'usr/lib/systemd/system/db@.service': '[Unit]\nDescription=Cluster %i\n[Service]\nExecStart=/db\n',
    'run/systemd/generator/db.target.wants/x': '',
    'usr/lib/systemd/system/gone.target.wants/absent.service': '',
  });
  const wants = 'run/systemd/generator/db.target.wants/db@15-main.service';
  await symlink('/usr/lib/systemd/system/db@.service', join(root, wants));
  expect(await readSystemdServices(linuxFiles(root), new Map())).toEqual([
    {
      name: 'db@15-main',
      description: 'Cluster 15-main',
      enabled: 'static',
      type: 'simple',
      comesAndGoes: false,
    },
  ]);
});

test('whether it runs is told of services that are meant to run all the time', () => {
  const service = { name: 'a', description: null, enabled: 'static', type: null };
  const told = (comesAndGoes: boolean, running: string[] | null) => {
    const processes = running?.map((name) => ({ name, processIds: [1], memoryBytes: null })) ?? null;
    return toSystemdServices([{ ...service, comesAndGoes }], processes)[0]?.running;
  };
  expect(told(false, ['a'])).toBe(true);
  expect(told(false, ['b'])).toBe(false);
  expect(told(true, ['a'])).toBeNull();
  expect(told(false, null)).toBeNull();
});

test.each([
  ['[Service]\nExecStart=/x\n', { type: 'simple', mayLackProcesses: false, install: 'static' }],
  ['[Service]\nExecStart=/x\nBusName=a.b\n', { type: 'dbus' }],
  ['[Service]\nExecStop=/x\n', { type: 'oneshot', mayLackProcesses: true }],
  ['[Service]\nType=forking\nRemainAfterExit=yes\n', { type: 'forking', mayLackProcesses: true }],
  ['[Service]\nType=notify\nType=simple\nExecStart=/x\n', { type: 'simple' }],
  ['[Install]\nAlso=b.socket\n', { install: 'indirect' }],
  ['[Install]\nWantedBy=\n', { install: 'static' }],
  ['[Install]\nWantedBy= \\\n# a comment\n  a.target\n', { install: 'installable' }],
  ['[Unit]\nDescription=a\n; Description=b\n', { description: 'a' }],
  ['Description=nowhere\n[Unit]\nDescription=\n', { description: null }],
])('%j', (file, expected) => {
  expect(parseServiceUnit(file)).toMatchObject(expected);
});

test('the name of a process may hold what parts the fields', () => {
  const rest = `S 1 2 2 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 250 1000`;
  expect(startOf(`17 (a) S (b) ${rest}`, 1_700_000_000)).toBe('2023-11-14T22:13:22.500Z');
  expect(startOf('17 (a', 1)).toBeNull();
  expect(startOf(null, 1)).toBeNull();
});
