import { execFileSync } from 'node:child_process';
import { appendFile, copyFile, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { testIf } from '../test/support/needs.ts';
import {
  collectChecked,
  collectContext,
  collectIfAny,
  expectedValues,
  hostRoot,
} from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import packages from './packages.ts';
import { parseApkInstalled } from './sources/apk-installed.ts';
import { parseDpkgStatus } from './sources/dpkg-status.ts';
import type { InstalledPackage } from './sources/installed-package.ts';
import { parsePacmanDesc } from './sources/pacman-desc.ts';
import { parseRpmHeader, sourceName } from './sources/rpm-header.ts';
import { readNdb } from './sources/rpm-ndb.ts';
import { parseRpmQuery, rpmQuery } from './sources/rpm-packages.ts';

const rockyDatabase = join(hostRoot('rocky-9-epyc-bond'), 'var/lib/rpm/rpmdb.sqlite');

function canRun(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

testIf(canRun('dpkg-query'), 'needs dpkg', 'this host: the same packages as dpkg-query tells', async () => {
  const values = await collectChecked(packages, collectContext('/'));
  const told = (values.packages as InstalledPackage[])
    .filter(({ manager }) => manager === 'dpkg')
    .map(({ name, version, architecture, source }) => [name, version, architecture, source].join(' '));
  const fields = ['db:Status-Status', 'Version', 'Architecture', 'source:Package', 'Package'];
  const format = `${fields.map((field) => `\${${field}}`).join(' ')}\\n`;
  const asked = execFileSync('dpkg-query', ['--show', '--showformat', format], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([status]) => status === 'installed')
    .map(([, version, architecture, source, name]) => [name, version, architecture, source].join(' '));
  expect(told.sort()).toEqual(asked.sort());
});

testIf(canRun('rpm'), 'needs rpm', 'a database that rpm wrote: the same packages as rpm tells', async () => {
  const folder = await temporaryFolder();
  await copyFile(rockyDatabase, join(folder, 'rpmdb.sqlite'));
  const args = ['--dbpath', folder, '--define', '_db_backend sqlite', ...rpmQuery];
  const asked = parseRpmQuery(execFileSync('rpm', args, { encoding: 'utf8' }));
  const values = await collectChecked(packages, collectContext(hostRoot('rocky-9-epyc-bond')));
  const byText = (list: InstalledPackage[]) => list.map((found) => JSON.stringify(found)).sort();
  expect(byText(values.packages as InstalledPackage[])).toEqual(byText(asked));
});

test('an unchanged database is not read again, a changed one is', async () => {
  const status = 'Package: a\nStatus: install ok installed\nVersion: 1\n';
  const root = await temporaryFolder({ 'var/lib/dpkg/status': status });
  const context = collectContext(root);
  const first = await packages.collect(context);
  expect(await packages.collect(context)).toBe(first);
  await appendFile(join(root, 'var/lib/dpkg/status'), '\nPackage: b\nStatus: install ok installed\n');
  expect(await packages.collect(context)).toMatchObject({ managers: [{ name: 'dpkg', packageCount: 2 }] });
});

test('a host without a package manager has nothing to report', async () => {
  expect(await collectIfAny(packages, collectContext(await temporaryFolder()))).toBeNull();
});

test('an image without dpkg in it has a file for each package', async () => {
  const root = await temporaryFolder({
    'var/lib/dpkg/status.d/base-files': 'Package: base-files\nVersion: 12.4\nArchitecture: amd64\n',
    'var/lib/dpkg/status.d/base-files.md5sums': 'd41d8cd98f00b204e9800998ecf8427e  Package: none\n',
  });
  const values = await collectChecked(packages, collectContext(root));
  expect(values.packages).toMatchObject([{ name: 'base-files', version: '12.4' }]);
});

test('what rpm has in its write-ahead log counts, and nothing is written beside the database', async () => {
  const root = await temporaryFolder();
  const folder = join(root, 'var/lib/rpm');
  await mkdir(folder, { recursive: true });
  await copyFile(rockyDatabase, join(folder, 'rpmdb.sqlite'));
  const context = collectContext(root);
  const expected = expectedValues('rocky-9-epyc-bond', 'packages');
  expect(await collectIfAny(packages, context)).toEqual(expected);
  expect(await collectIfAny(packages, collectContext(root))).toEqual(expected);
  expect(await readdir(folder)).toEqual(['rpmdb.sqlite']);
  const writer = new DatabaseSync(join(folder, 'rpmdb.sqlite'), { enableForeignKeyConstraints: false });
  writer.exec('DELETE FROM Packages');
  expect(await packages.collect(context)).toEqual({ packages: [], managers: [] });
  writer.close();
});

test('a database that cannot be read is asked of rpm', async () => {
  const output = 'bash\t0\t5.1.8-9.el9\tx86_64\tbash-5.1.8-9.el9.src.rpm\t7738634\n';
  const root = await temporaryFolder({
    'node-os.json': '{}',
    'commands.json': JSON.stringify({ [['rpm', ...rpmQuery].join(' ')]: output }),
    'var/lib/rpm/rpmdb.sqlite': 'no database',
  });
  expect(await packages.collect(collectContext(root))).toMatchObject({ packages: [{ name: 'bash' }] });
  await rename(join(root, 'commands.json'), join(root, 'gone.json'));
  expect(await packages.collect(collectContext(root))).toBeNull();
});

test('dpkg: fields on continuation lines, removed packages and odd sizes', () => {
  const status = [
    '\n\nPackage: a\nStatus: install ok installed\nVersion: 1:2~rc1-3\nSource: src (2~rc1)\nInstalled-Size: many',
    'Package: gone\nStatus: deinstall ok config-files\nVersion: 1',
    'Package: half\nStatus: install ok half-installed\nVersion: 1',
    'Status: install ok installed\nVersion: 1',
    'Package: b\nStatus: install ok triggers-awaited\nDescription: x\n Version: 9\n .\n Source: y\n\n\n',
  ].join('\n\n');
  const common = { architecture: null, manager: 'dpkg', sizeBytes: null };
  expect(parseDpkgStatus(status)).toEqual([
    { name: 'a', version: '1:2~rc1-3', source: 'src', ...common },
    { name: 'b', version: null, source: 'b', ...common },
  ]);
  expect(parseDpkgStatus('')).toEqual([]);
});

test('apk: permissions of files are no fields of a package', () => {
  expect(parseApkInstalled('P:a\nF:etc\na:0:0:755\nV:1-r0\nI:9\n\nV:2\n\nP:.deps\n')).toEqual([
    { name: 'a', version: '1-r0', architecture: null, manager: 'apk', source: null, sizeBytes: 9 },
  ]);
});

test('pacman: a section that is empty has no value', () => {
  expect(parsePacmanDesc('%NAME%\na\n\n%VERSION%\n1-1\n\n%BASE%\n\n%SIZE%\n5\n')).toEqual({
    ...{ name: 'a', version: '1-1', architecture: null, manager: 'pacman', source: null, sizeBytes: 5 },
  });
  expect(parsePacmanDesc('9\n')).toBeNull();
});

test('rpm: what it answers, with none for what a package lacks', () => {
  const output =
    'a\t(none)\t1-2\t(none)\t(none)\t9\nb\t3\t1-2\tnoarch\tb-c-1-2.nosrc.rpm\t(none)\nodd line\n';
  expect(parseRpmQuery(output)).toEqual([
    { name: 'a', version: '1-2', architecture: null, manager: 'rpm', source: null, sizeBytes: 9 },
    { name: 'b', version: '3:1-2', architecture: 'noarch', manager: 'rpm', source: 'b-c', sizeBytes: null },
  ]);
  expect(sourceName('no-source')).toBeNull();
});

test('rpm: headers that claim more than there is give nothing', () => {
  expect(parseRpmHeader(new Uint8Array(7))).toBeNull();
  expect(parseRpmHeader(Uint8Array.from({ length: 64 }, () => 255))).toBeNull();
  expect(readNdb(new Uint8Array(4096))).toBeNull();
  const slots = Buffer.alloc(4096);
  slots.write('RpmP');
  slots.writeUInt32LE(0xffffffff, 12);
  slots.write('Slot', 32);
  slots.writeUInt32LE(1, 36);
  slots.writeUInt32LE(0xffffffff, 40);
  expect(readNdb(slots)).toEqual([]);
});

test('Homebrew: an upgrade is seen, records of casks are no versions', async () => {
  const root = await temporaryFolder({
    'opt/homebrew/Cellar/jq/1.7/x': '',
    'opt/homebrew/Caskroom/firefox/.metadata/x': '',
    'opt/homebrew/Caskroom/firefox/139.0/x': '',
    'opt/homebrew/opt/jq/x': '',
  });
  const context = collectContext(root);
  const brew = (name: string, version: string) => ({
    ...{ name, version, architecture: null, manager: 'brew', source: null, sizeBytes: null },
  });
  expect((await packages.collect(context))?.packages).toEqual([brew('firefox', '139.0'), brew('jq', '1.7')]);
  await rename(join(root, 'opt/homebrew/Cellar/jq/1.7'), join(root, 'opt/homebrew/Cellar/jq/1.8'));
  await writeFile(join(root, 'opt/homebrew/opt/jq2'), '');
  expect((await packages.collect(context))?.packages).toContainEqual(brew('jq', '1.8'));
});
