/**
 * packages: what the host's package managers have installed.
 *
 * Source: the databases of dpkg, rpm, apk, pacman and Homebrew, read as files; only rpm's old Berkeley DB
 * (RHEL 8 and before) needs a process. Needs no privileges. A database is read again only when it changed.
 */
import { bytes, count, definePlugin, list, text, version } from './plugin.ts';
import { collectPackages } from './sources/package-databases.ts';

export default definePlugin({
  name: 'packages',
  version: 1,
  description: 'Installed packages of every package manager',
  facts: {
    packages: list(
      'Installed packages by name; one that is installed in several versions is there as often',
      {
        name: text('Name of the package', { nullable: false }),
        version: version('Installed version, with epoch and revision as the package manager writes it'),
        architecture: text('What it is built for, in the words of its package manager: amd64, noarch'),
        manager: text('Whose database it is in: dpkg, rpm, apk, pacman or brew', { nullable: false }),
        source: text('Source package it was built from; null where the package manager does not tell'),
        sizeBytes: bytes('Size it takes when installed, as the package manager tells'),
      },
      { key: ['name', 'architecture', 'manager'] },
    ),
    managers: list(
      'Package managers that have packages installed, by name',
      {
        name: text('dpkg, rpm, apk, pacman or brew', { nullable: false }),
        packageCount: count('Packages it has installed', { nullable: false }),
      },
      { key: 'name' },
    ),
  },
  source:
    '/var/lib/dpkg, rpmdb.sqlite, Packages.db, rpm, /lib/apk/db, /var/lib/pacman/local, Homebrew Cellar',
  platforms: ['linux', 'darwin'],
  collect: collectPackages,
});
