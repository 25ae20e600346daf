/**
 * homebrew: what Homebrew has installed, on macOS and Linux: a folder for each formula or cask, in it one for each version.
 */
import type { InstalledPackage } from './installed-package.ts';
import type { LinuxFiles } from './linux-files.ts';

const prefixes = ['/opt/homebrew', '/usr/local', '/home/linuxbrew/.linuxbrew'];

/** What changes with every installation, upgrade and removal: `opt` has a link to the current version of each formula. */
export async function homebrewStamp(files: LinuxFiles): Promise<string | null> {
  const folders = prefixes.flatMap((prefix) => [`${prefix}/Cellar`, `${prefix}/Caskroom`]);
  const stamps = await Promise.all(folders.map((folder) => files.stamp(folder)));
  if (stamps.every((stamp) => stamp === null)) return null;
  return [...stamps, ...(await Promise.all(prefixes.map((prefix) => files.stamp(`${prefix}/opt`))))].join();
}

export async function readHomebrew(files: LinuxFiles): Promise<InstalledPackage[]> {
  const folders = prefixes.flatMap((prefix) => [`${prefix}/Cellar`, `${prefix}/Caskroom`]);
  const found = await Promise.all(folders.map((folder) => readFolder(files, folder)));
  return found.flat();
}

async function readFolder(files: LinuxFiles, folder: string): Promise<InstalledPackage[]> {
  const names = (await files.list(folder)) ?? [];
  const found = await Promise.all(
    names.filter(isShown).map(async (name) =>
      ((await files.list(`${folder}/${name}`)) ?? []).filter(isShown).map(
        (version): InstalledPackage => ({
          name,
          version,
          architecture: null,
          manager: 'brew',
          source: null,
          sizeBytes: null,
        }),
      ),
    ),
  );
  return found.flat();
}

/** Casks keep their records in `.metadata`. */
function isShown(name: string): boolean {
  return !name.startsWith('.');
}
