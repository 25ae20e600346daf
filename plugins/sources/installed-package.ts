/**
 * installed-package: what every package manager tells of a package, in one shape.
 */

export type PackageManager = 'dpkg' | 'rpm' | 'apk' | 'pacman' | 'brew';

export type InstalledPackage = {
  name: string;
  version: string | null;
  architecture: string | null;
  manager: PackageManager;
  source: string | null;
  sizeBytes: number | null;
};

/** By name, then by what else tells one from another, so that the order says nothing of the database's. */
export function sortPackages(packages: InstalledPackage[]): InstalledPackage[] {
  return packages.sort(
    (a, b) =>
      compare(a.name, b.name) ||
      compare(a.architecture, b.architecture) ||
      compare(a.manager, b.manager) ||
      compare(a.version, b.version),
  );
}

/** A size from its digits, in units of `unit` bytes; null for what is none. */
export function sizeOf(digits: string | null | undefined, unit = 1): number | null {
  return digits && /^\d{1,12}$/.test(digits) ? Number(digits) * unit : null;
}

function compare(a: string | null, b: string | null): number {
  const [left, right] = [a ?? '', b ?? ''];
  return left < right ? -1 : left > right ? 1 : 0;
}
