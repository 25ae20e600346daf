/**
 * dpkg-status: reads /var/lib/dpkg/status, the paragraphs in which dpkg keeps what it knows of packages.
 */
import { type InstalledPackage, sizeOf } from './installed-package.ts';
import { fieldOf, paragraphsOf } from './paragraphs.ts';

/** Third word of Status: its files are in place, if only some other package's trigger has still to run. */
const installed = new Set(['installed', 'triggers-awaited', 'triggers-pending']);

/** Packages that are installed, in the file's order: not those that were removed and left their configuration. */
export function parseDpkgStatus(status: string): InstalledPackage[] {
  const found: InstalledPackage[] = [];
  for (const paragraph of paragraphsOf(status)) {
    const name = fieldOf(paragraph, '\nPackage: ');
    if (!name || !isInstalled(fieldOf(paragraph, '\nStatus: '))) continue;
    found.push({
      name,
      version: fieldOf(paragraph, '\nVersion: '),
      architecture: fieldOf(paragraph, '\nArchitecture: '),
      manager: 'dpkg',
      // `glibc (2.36-9)` where its version is another one; absent where it has the package's own name.
      source: fieldOf(paragraph, '\nSource: ')?.split(' ')[0] || name,
      sizeBytes: sizeOf(fieldOf(paragraph, '\nInstalled-Size: '), 1024),
    });
  }
  return found;
}

/** Images without dpkg itself have a file for each package, without a status: what is there is installed. */
function isInstalled(status: string | null): boolean {
  return status === null || installed.has(status.split(' ')[2] ?? '');
}
