/**
 * rpm-packages: the packages of an rpm database, whichever of its three forms it has.
 *
 * Two forms are read as they lie; for Berkeley DB, and where reading fails, rpm itself is asked.
 */
import { type InstalledPackage, sizeOf } from './installed-package.ts';
import type { LinuxFiles } from './linux-files.ts';
import { parseRpmHeader, sourceName } from './rpm-header.ts';
import { readNdb } from './rpm-ndb.ts';
import { readRpmSqlite } from './rpm-sqlite.ts';
import { type CommandContext, runCommand } from './run-command.ts';

const folders = ['/usr/lib/sysimage/rpm', '/var/lib/rpm'];
/** The newest form first: after a migration the old file may be left over. */
const forms = ['rpmdb.sqlite', 'Packages.db', 'Packages'] as const;

export type RpmDatabase = { path: string; form: (typeof forms)[number]; stamp: string; hasLog: boolean };

/** The database that rpm would use; null when there is none. */
export async function findRpmDatabase(files: LinuxFiles): Promise<RpmDatabase | null> {
  for (const folder of folders) {
    for (const form of forms) {
      const path = `${folder}/${form}`;
      const [own, log] = await Promise.all([files.stamp(path), files.stamp(`${path}-wal`)]);
      if (own === null) continue;
      const hasLog = log !== null && log.split(' ')[1] !== '0';
      return { path, form, stamp: `${path} ${own} ${hasLog ? log : ''}`, hasLog };
    }
  }
  return null;
}

export async function readRpmPackages(
  files: LinuxFiles,
  database: RpmDatabase,
  context: CommandContext,
): Promise<InstalledPackage[] | null> {
  return (await readDirectly(files, database, context.signal)) ?? askRpm(context);
}

async function readDirectly(
  files: LinuxFiles,
  { path, form, hasLog }: RpmDatabase,
  signal: AbortSignal,
): Promise<InstalledPackage[] | null> {
  if (form === 'Packages.db') {
    const headers = readNdb((await files.readBytes(path)) ?? new Uint8Array());
    return headers?.map(parseRpmHeader).filter((found) => found !== null) ?? null;
  }
  const file = form === 'rpmdb.sqlite' ? await files.locate(path) : null;
  if (file === null) return null;
  try {
    return await readRpmSqlite(file, hasLog, parseRpmHeader, signal);
  } catch {
    signal.throwIfAborted();
    return null; // damaged, or not ours to lock while rpm writes: rpm may know more
  }
}

/** `(none)` stands for what a package does not have. */
export const rpmQuery = [
  ...['-qa', '--qf'],
  '%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\t%{LONGSIZE}\\n',
];

async function askRpm(context: CommandContext): Promise<InstalledPackage[] | null> {
  const output = await runCommand('rpm', rpmQuery, context);
  return output === null ? null : parseRpmQuery(output);
}

/** What rpm writes when asked with `rpmQuery`. */
export function parseRpmQuery(output: string): InstalledPackage[] {
  return output.split('\n').flatMap((line) => {
    const [name, epoch, version, architecture, sourceRpm, size] = line.split('\t');
    if (!name || !version || size === undefined || name === 'gpg-pubkey') return [];
    return {
      name,
      version: epoch === '0' || epoch === '(none)' ? version : `${epoch}:${version}`,
      architecture: architecture === '(none)' ? null : architecture || null,
      manager: 'rpm',
      source: sourceName(sourceRpm ?? ''),
      sizeBytes: sizeOf(size),
    };
  });
}
