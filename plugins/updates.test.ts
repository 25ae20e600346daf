import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectContext, collectIfAny } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { compareReleases, newestKernel } from './sources/installed-kernels.ts';
import {
  parseApkVersions,
  parseAptUpgradable,
  parseDnfUpgrades,
  parsePacmanUpgrades,
  parseZypperUpdates,
} from './sources/pending-updates.ts';
import { toPending, toRebootRequired } from './sources/updates.linux.ts';
import updates from './updates.ts';

const apt = 'apt -qq list --upgradable';
const aptHost = (commands: Record<string, string>) => ({
  ...{ 'node-os.json': '{}', 'commands.json': JSON.stringify(commands) },
  ...{ 'var/lib/dpkg/status': '', 'var/lib/apt/lists/a_Packages.lz4': '' },
});

test('the package manager is asked again when packages or lists changed, and not before', async () => {
  const root = await temporaryFolder(aptHost({ [apt]: 'a/s 2 all [upgradable from: 1]' }));
  const context = collectContext(root);
  const first = await collectIfAny(updates, context);
  expect(first).toMatchObject({ manager: 'apt', pendingCount: 1, problem: null });
  await rm(join(root, 'commands.json'));
  expect(await collectIfAny(updates, context)).toEqual(first);
  await writeFile(join(root, 'var/lib/dpkg/status'), 'Package: a\n');
  expect(await collectIfAny(updates, context)).toMatchObject({ pendingCount: null, problem: null });
});

test('a package manager that fails is a problem told, and costs nothing of what is known of a reboot', async () => {
  const root = await temporaryFolder({ ...aptHost({}), 'run/reboot-required': '' });
  await writeFile(join(root, 'commands.json'), 'no JSON');
  const values = await collectIfAny(updates, collectContext(root));
  expect(values).toMatchObject({ rebootRequired: true, pending: null, pendingCount: null });
  expect(values?.problem).toMatch(/not valid JSON/);
});

test('without lists of available packages nothing is known to be pending', async () => {
  const files = { ...aptHost({ [apt]: '' }), 'run/reboot-required': '' };
  const root = await temporaryFolder(files);
  expect(await collectIfAny(updates, collectContext(root))).toMatchObject({ pendingCount: 0 });
  await rm(join(root, 'var/lib/apt/lists/a_Packages.lz4'));
  expect(await collectIfAny(updates, collectContext(root))).toMatchObject({ pendingCount: null });
  await rm(join(root, 'run/reboot-required'));
  expect(await collectIfAny(updates, collectContext(root))).toBeNull();
});

test('dnf of the fifth generation keeps its lists elsewhere', async () => {
  const query =
    'dnf -q -C repoquery --upgrades --latest-limit=1 --qf %{name}\\t%{arch}\\t%{epoch}:%{version}-%{release}\\n';
  const root = await temporaryFolder({
    'node-os.json': '{}',
    'commands.json': JSON.stringify({ [query]: 'a\tnoarch\t0:2-1\n' }),
    'usr/lib/sysimage/rpm/rpmdb.sqlite': '',
    'var/cache/libdnf5/fedora-0123456789abcdef/repodata/repomd.xml': '',
  });
  const values = await collectIfAny(updates, collectContext(root));
  expect(values).toMatchObject({ manager: 'dnf', pendingCount: 1, pendingSecurityCount: 0 });
  expect(values?.lastCheckedAt).not.toBeNull();
});

test('apt: a package from several suites closes a hole when one of them does', () => {
  const output = [
    'Listing...',
    'a/stable,now 2 amd64 [upgradable from: 1]',
    'b/noble-updates,noble-security 1:2~x i386 [upgradable from: 1:1]',
    'c/stable 2 amd64 [installed]',
  ].join('\n');
  expect(parseAptUpgradable(output)).toEqual([
    { name: 'a', architecture: 'amd64', installedVersion: '1', candidateVersion: '2', security: false },
    { name: 'b', architecture: 'i386', installedVersion: '1:1', candidateVersion: '1:2~x', security: true },
  ]);
});

test('dnf: blank lines, epochs, and no answer about security', () => {
  const output = 'a\tnoarch\t0:2-1\n\nb\tx86_64\t1:2-1\n\nError: odd\n';
  const installed = new Map([['b.x86_64', '1:1-1']]);
  const of = (name: string, architecture: string, candidateVersion: string) => ({
    ...{ name, architecture, candidateVersion },
  });
  expect(parseDnfUpgrades(output, 'b\tx86_64\t1:2-1\n', installed)).toEqual([
    { ...of('a', 'noarch', '2-1'), installedVersion: null, security: false },
    { ...of('b', 'x86_64', '1:2-1'), installedVersion: '1:1-1', security: true },
  ]);
  expect(parseDnfUpgrades(output, null, installed)[0]?.security).toBeNull();
});

test('zypper: patches are no packages, and attributes come in any order', () => {
  const xml = `<update arch="x86_64" edition="2" edition-old="1" name="a" kind="package">
    <update name="SUSE-2025-1" edition="1" kind="patch"><update kind="package" edition="2">`;
  expect(parseZypperUpdates(xml)).toEqual([
    { name: 'a', architecture: 'x86_64', installedVersion: '1', candidateVersion: '2', security: null },
  ]);
});

test('apk and pacman', () => {
  const unknown = { architecture: null, security: null };
  expect(parseApkVersions('Installed:   Available:\na-b-1.2_p1-r0  < 1.3-r0 \nodd < line\n')).toEqual([
    { name: 'a-b', installedVersion: '1.2_p1-r0', candidateVersion: '1.3-r0', ...unknown },
  ]);
  expect(parsePacmanUpgrades('a 1-1 -> 1-2 [ignored]\nwarning: odd\n')).toEqual([
    { name: 'a', installedVersion: '1-1', candidateVersion: '1-2', ...unknown },
  ]);
});

test('security updates are counted only where the package manager tells of them', () => {
  expect(toPending({ pending: [], problem: null }, true).pendingSecurityCount).toBe(0);
  expect(toPending({ pending: [], problem: null }, false).pendingSecurityCount).toBeNull();
});

test.each([
  ['6.1.0-37-amd64', ['6.1.0-9-amd64', '6.1.0-38-amd64', '6.1.0-40-cloud-amd64'], '6.1.0-38-amd64'],
  ['5.14.0-427.13.1.el9_4.x86_64', ['5.14.0-503.el9_5.x86_64'], '5.14.0-503.el9_5.x86_64'],
  ['6.12.25+rpt-rpi-v8', ['6.12.25+rpt-rpi-v8', '6.12.34+rpt-rpi-2712'], '6.12.25+rpt-rpi-v8'],
  ['6.14.9-arch1-1', ['6.14.9-arch1-1', '6.15-rc3'], '6.14.9-arch1-1'],
  ['6.18.44-custom', ['6.1.0-37-amd64'], null],
])('beside %s the newest of %j is %s', (running, installed, newest) => {
  expect(newestKernel(installed, running)).toBe(newest);
});

test('releases are in the order of their numbers', () => {
  expect(compareReleases('6.9.0-1', '6.10.0-1')).toBeLessThan(0);
  expect(compareReleases('6.9.0-1.2', '6.9.0-1')).toBeGreaterThan(0);
  expect(compareReleases('6.9.0-1', '6.9.0-1')).toBe(0);
  expect(compareReleases('6.9.0-1-a', '6.9.0-1-b')).toBe(0);
});

test('a reboot is due when somebody says so, or a newer kernel is there', () => {
  expect(toRebootRequired(true, null, null)).toBe(true);
  expect(toRebootRequired(false, '6.1.0-1-a', '6.1.0-2-a')).toBe(true);
  expect(toRebootRequired(false, '6.1.0-2-a', '6.1.0-2-a')).toBe(false);
  expect(toRebootRequired(false, '6.1.0-2-a', null)).toBeNull();
});
