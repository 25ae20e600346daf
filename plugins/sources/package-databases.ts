/**
 * package-databases: gathers what the package managers of a host have installed.
 *
 * Every database is thousands of records, so what was read is kept until the database's own file or folder changed.
 */
import type { CollectContext } from '../plugin.ts';
import { parseApkInstalled } from './apk-installed.ts';
import { parseDpkgStatus } from './dpkg-status.ts';
import { homebrewStamp, readHomebrew } from './homebrew.ts';
import { type InstalledPackage, sortPackages } from './installed-package.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { once } from './once.ts';
import { parsePacmanDesc } from './pacman-desc.ts';
import { asciiText } from './paragraphs.ts';
import { findRpmDatabase, readRpmPackages } from './rpm-packages.ts';

/** A database of packages that is there: what changes with it, and how to read it. */
type Database = { stamp: string; read(): Promise<InstalledPackage[] | null> };

/** Null on a host without any of the package managers. */
export async function collectPackages(context: CollectContext) {
  const databases = await findDatabases(context);
  if (databases.length === 0) return null;
  const key = databases.map(({ stamp }) => stamp).join('\n');
  return once(context.cache, 'packages', async () => toPackages(await readAll(databases)), key);
}

/** All that is installed, by name; null when no database can be read. */
async function readAll(databases: readonly Database[]): Promise<InstalledPackage[] | null> {
  const read = await Promise.all(databases.map((database) => database.read()));
  const known = read.filter((packages) => packages !== null);
  if (known.length === 0) return null;
  // A copy: as parts of the text they were read from, names and versions would keep all its megabytes in memory.
  return JSON.parse(JSON.stringify(sortPackages(known.flat())));
}

/** Shapes them into facts; pure. */
export function toPackages(packages: InstalledPackage[] | null) {
  if (packages === null) return null;
  const counts = new Map<string, number>();
  for (const { manager } of packages) counts.set(manager, (counts.get(manager) ?? 0) + 1);
  const managers = [...counts].map(([name, packageCount]) => ({ name, packageCount }));
  return { packages, managers: managers.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

async function findDatabases(context: CollectContext): Promise<Database[]> {
  const files = linuxFiles(context.root, context.signal);
  const found = await Promise.all([
    findDpkg(files),
    findRpmDatabase(files).then(
      (rpm) => rpm && { stamp: rpm.stamp, read: () => readRpmPackages(files, rpm, context) },
    ),
    findApk(files),
    findPacman(files),
    findHomebrew(files),
  ]);
  return found.filter((database) => database !== null);
}

async function findDpkg(files: LinuxFiles): Promise<Database | null> {
  const file = await findFile(files, ['/var/lib/dpkg/status'], parseDpkgStatus);
  if (file) return file;
  // Images that were built without dpkg in them have a file for each package, and its checksums beside it.
  const folder = '/var/lib/dpkg/status.d';
  return findFolder(files, folder, async (names) => {
    const own = names.filter((name) => !name.endsWith('.md5sums'));
    const texts = await Promise.all(own.map((name) => files.read(`${folder}/${name}`)));
    return texts.flatMap((text) => parseDpkgStatus(text ?? ''));
  });
}

function findApk(files: LinuxFiles): Promise<Database | null> {
  return findFile(files, ['/usr/lib/apk/db/installed', '/lib/apk/db/installed'], parseApkInstalled);
}

function findPacman(files: LinuxFiles): Promise<Database | null> {
  const folder = '/var/lib/pacman/local';
  return findFolder(files, folder, async (names) => {
    const texts = await Promise.all(names.map((name) => files.read(`${folder}/${name}/desc`)));
    return texts.map((text) => parsePacmanDesc(text ?? '')).filter((found) => found !== null);
  });
}

async function findHomebrew(files: LinuxFiles): Promise<Database | null> {
  const stamp = await homebrewStamp(files);
  return stamp === null ? null : { stamp, read: () => readHomebrew(files) };
}

/** The first of the files that is there. */
async function findFile(
  files: LinuxFiles,
  paths: readonly string[],
  parse: (text: string) => InstalledPackage[],
): Promise<Database | null> {
  for (const path of paths) {
    const stamp = await files.stamp(path);
    if (stamp === null) continue;
    return {
      stamp: `${path} ${stamp}`,
      async read() {
        const database = await files.readBytes(path);
        return database && parse(asciiText(database));
      },
    };
  }
  return null;
}

async function findFolder(
  files: LinuxFiles,
  folder: string,
  parse: (names: string[]) => Promise<InstalledPackage[]>,
): Promise<Database | null> {
  const stamp = await files.stamp(folder);
  if (stamp === null) return null;
  return {
    stamp: `${folder} ${stamp}`,
    async read() {
      const names = await files.list(folder);
      return names === null ? null : parse(names);
    },
  };
}
