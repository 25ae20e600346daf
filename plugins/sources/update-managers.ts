/**
 * update-managers: the package managers that know of updates, and how each is asked without the network.
 *
 * One is asked only where it has lists of available packages: without them it knows of no update, which is not the same as that
 * there is none.
 */
import type { LinuxFiles } from './linux-files.ts';
import {
  dnfFormat,
  type PendingUpdate,
  parseApkVersions,
  parseAptUpgradable,
  parseDnfUpgrades,
  parsePacmanUpgrades,
  parseZypperUpdates,
} from './pending-updates.ts';
import { findRpmDatabase, readRpmPackages } from './rpm-packages.ts';
import { type CommandContext, runCommand } from './run-command.ts';

export type UpdateManager = {
  name: 'apt' | 'dnf' | 'zypper' | 'apk' | 'pacman';
  /** What changes with the installed packages or with the lists; null where it has no lists. */
  stamp: string | null;
  lastCheckedAt: string | null;
  tellsSecurity: boolean;
  /** Null where its program is not there. */
  ask(context: CommandContext): Promise<PendingUpdate[] | null>;
};

/** Null on a host without any of them. */
export async function findUpdateManager(files: LinuxFiles): Promise<UpdateManager | null> {
  const found = await Promise.all([findApt, findRpm, findApk, findPacman].map((find) => find(files)));
  return found.find((manager) => manager !== null) ?? null;
}

async function findApt(files: LinuxFiles): Promise<UpdateManager | null> {
  const lists = '/var/lib/apt/lists';
  const [installed, available, names] = await Promise.all([
    files.stamp('/var/lib/dpkg/status'),
    files.stamp(lists),
    files.list(lists),
  ]);
  if (installed === null || names === null) return null;
  return {
    name: 'apt',
    tellsSecurity: true,
    stamp: names.some((name) => /_Packages(?:\.|$)/.test(name)) ? `${installed} ${available}` : null,
    lastCheckedAt: await newest(files, ['/var/lib/apt/periodic/update-success-stamp', `${lists}/partial`]),
    async ask(context) {
      const output = await runCommand('apt', ['-qq', 'list', '--upgradable'], context);
      return output === null ? null : parseAptUpgradable(output);
    },
  };
}

async function findRpm(files: LinuxFiles): Promise<UpdateManager | null> {
  const database = await findRpmDatabase(files);
  if (database === null) return null;
  const zypp = '/var/cache/zypp/solv';
  const repositories = (await files.list(zypp))?.filter((name) => name !== '@System') ?? [];
  if (repositories.length > 0) {
    const paths = repositories.map((name) => `${zypp}/${name}`);
    const stamps = await Promise.all(paths.map((path) => files.stamp(path)));
    return {
      name: 'zypper',
      tellsSecurity: false,
      stamp: `${database.stamp} ${stamps.join()}`,
      lastCheckedAt: await newest(files, paths),
      async ask(context) {
        const args = ['--non-interactive', '--no-refresh', '--xmlout', 'list-updates'];
        const output = await runCommand('zypper', args, context);
        return output === null ? null : parseZypperUpdates(output);
      },
    };
  }
  const lists = await findDnfLists(files);
  if (lists === null) return null;
  return {
    name: 'dnf',
    tellsSecurity: true,
    stamp: lists.stamp && `${database.stamp} ${lists.stamp}`,
    lastCheckedAt: await newest(files, lists.written),
    async ask(context) {
      const args = ['-q', '-C', 'repoquery', '--upgrades', '--latest-limit=1', '--qf', dnfFormat];
      const output = await runCommand('dnf', args, context);
      if (output === null) return null;
      const security = await runCommand('dnf', [...args, '--security'], context);
      const installed = (await readRpmPackages(files, database, context)) ?? [];
      const versions = installed.map(
        ({ name, architecture, version }) => [`${name}.${architecture}`, version] as const,
      );
      return parseDnfUpgrades(output, security, new Map(versions));
    },
  };
}

/** The fifth dnf has a folder for each repository, those before it files; null where there is neither. */
async function findDnfLists(files: LinuxFiles): Promise<{ stamp: string | null; written: string[] } | null> {
  const [fifth, fourth] = ['/var/cache/libdnf5', '/var/cache/dnf'];
  const [repositories, names] = await Promise.all([files.list(fifth), files.list(fourth)]);
  if (repositories && repositories.length > 0) {
    const written = repositories.map((name) => `${fifth}/${name}/repodata`);
    const stamps = await Promise.all(written.map((path) => files.stamp(path)));
    return { stamp: stamps.some((stamp) => stamp !== null) ? stamps.join() : null, written };
  }
  if (names === null) return null;
  const hasLists = names.some((name) => /\.solvx?$/.test(name));
  const written = ['last_makecache', 'expired_repos.json'].map((name) => `${fourth}/${name}`);
  return { stamp: hasLists ? await files.stamp(fourth) : null, written };
}

async function findApk(files: LinuxFiles): Promise<UpdateManager | null> {
  const databases = ['/usr/lib/apk/db/installed', '/lib/apk/db/installed'];
  const stamps = await Promise.all(databases.map((path) => files.stamp(path)));
  const installed = stamps.find((stamp) => stamp !== null);
  if (installed === undefined) return null;
  const caches = ['/etc/apk/cache', '/var/cache/apk'];
  const cached = await Promise.all(caches.map((path) => files.list(path)));
  const hasIndex = cached.flat().some((name) => name?.startsWith('APKINDEX.'));
  const available = await Promise.all(caches.map((path) => files.stamp(path)));
  return {
    name: 'apk',
    tellsSecurity: false,
    stamp: hasIndex ? `${installed} ${available.join()}` : null,
    lastCheckedAt: hasIndex ? await newest(files, caches) : null,
    async ask(context) {
      const output = await runCommand('apk', ['version', '-l', '<'], context);
      return output === null ? null : parseApkVersions(output);
    },
  };
}

async function findPacman(files: LinuxFiles): Promise<UpdateManager | null> {
  const [installed, available] = await Promise.all([
    files.stamp('/var/lib/pacman/local'),
    files.stamp('/var/lib/pacman/sync'),
  ]);
  if (installed === null) return null;
  return {
    name: 'pacman',
    tellsSecurity: false,
    stamp: available && `${installed} ${available}`,
    lastCheckedAt: await newest(files, ['/var/lib/pacman/sync']),
    async ask(context) {
      // It exits with 1 when there is none.
      const output = await runCommand('pacman', ['-Qu'], context, [1]);
      return output === null ? null : parsePacmanUpgrades(output);
    },
  };
}

async function newest(files: LinuxFiles, paths: readonly string[]): Promise<string | null> {
  const times = await Promise.all(paths.map((path) => files.modifiedAt(path)));
  return (
    times
      .filter((time) => time !== null)
      .sort()
      .at(-1) ?? null
  );
}
