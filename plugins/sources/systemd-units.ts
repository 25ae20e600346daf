/**
 * systemd-units: which services systemd has unit files for, and whether they start with the host.
 *
 * Follows systemd's own search: the first folder that has a name counts, a link to another name is an alias, a link to
 * /dev/null or an empty file a mask, and a link in a `*.wants` folder enables. Hundreds of files: they are read again only when
 * a folder changed. Who edits a unit file in place has systemd told of it by daemon-reload, and us by nothing.
 */
import { posix } from 'node:path';
import type { LinuxFiles } from './linux-files.ts';
import { parseServiceUnit } from './systemd-unit.ts';

export type SystemdService = {
  name: string;
  description: string | null;
  enabled: string;
  type: string | null;
  /** Whether it has no processes at times, as it should: it runs once, or when something asks for it. */
  comesAndGoes: boolean;
};

/** In the order of systemd.unit(5), the first has the last word. */
const unitFolders = [
  ...['/etc/systemd/system.control', '/run/systemd/system.control', '/run/systemd/transient'],
  ...['/run/systemd/generator.early', '/etc/systemd/system', '/etc/systemd/system.attached'],
  ...['/run/systemd/system', '/run/systemd/system.attached', '/run/systemd/generator'],
  ...['/usr/local/lib/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'],
  '/run/systemd/generator.late',
];
/** Where `systemctl enable` makes its links, in another name as well: those of a package's own enable nothing. */
const configured: ReadonlySet<string> = new Set(['/etc/systemd/system', '/run/systemd/system']);
const suffix = '.service';
const cacheName = 'systemdUnits';

type Kept = { stamps: Map<string, string | null>; services: SystemdService[] };

/** By name; templates and aliases are no services of their own. */
export async function readSystemdServices(
  files: LinuxFiles,
  cache: Map<string, unknown>,
): Promise<SystemdService[]> {
  const kept = cache.get(cacheName) as Kept | undefined;
  if (kept && (await isUnchanged(files, kept.stamps))) return kept.services;
  const folders = await Promise.all(unitFolders.map((path) => readUnitFolder(files, path)));
  const services = await toServices(files, folders);
  const stamps = new Map(folders.flatMap((folder) => [...folder.stamps]));
  cache.set(cacheName, { stamps, services } satisfies Kept);
  return services;
}

async function isUnchanged(files: LinuxFiles, stamps: Kept['stamps']): Promise<boolean> {
  const now = await Promise.all([...stamps.keys()].map((path) => files.stamp(path)));
  return [...stamps.values()].every((stamp, at) => stamp === now[at]);
}

type UnitFolder = {
  path: string;
  /** Where each service's file is a link to; null for one that is none. */
  units: Map<string, string | null>;
  /** Services that a folder beside them names as wanted. */
  wanted: Set<string>;
  /** Of this folder and those beside: what changes with any of it. Taken before they are read, so that no change is missed. */
  stamps: Map<string, string | null>;
};

async function readUnitFolder(files: LinuxFiles, path: string): Promise<UnitFolder> {
  const stamps = new Map([[path, await files.stamp(path)]]);
  const names = (await files.list(path)) ?? [];
  const wanted = new Set<string>();
  for (const name of names.filter((name) => /\.(?:wants|requires|upholds)$/.test(name))) {
    stamps.set(`${path}/${name}`, await files.stamp(`${path}/${name}`));
    for (const unit of (await files.list(`${path}/${name}`)) ?? [])
      if (unit.endsWith(suffix)) wanted.add(unit);
  }
  const units = await Promise.all(
    names
      .filter((name) => name.endsWith(suffix))
      .map(async (name) => [name, await files.link(`${path}/${name}`)] as const),
  );
  return { path, units: new Map(units), wanted, stamps };
}

async function toServices(files: LinuxFiles, folders: readonly UnitFolder[]): Promise<SystemdService[]> {
  const all = folders.flatMap(({ units, wanted }) => [...units.keys(), ...wanted]);
  const names = [...new Set(all)].filter((name) => !name.endsWith(`@${suffix}`)).sort();
  const services = await Promise.all(names.map((name) => toService(files, folders, name)));
  return services.filter((service) => service !== null);
}

async function toService(
  files: LinuxFiles,
  folders: readonly UnitFolder[],
  unit: string,
): Promise<SystemdService | null> {
  const template = unit.replace(/@.*(?=\.service$)/, '@');
  const folder = find(unit) ?? find(template);
  if (!folder) return null; // wanted, but not there
  const fileName = folder.units.has(unit) ? unit : template;
  const link = folder.units.get(fileName) ?? null;
  const target = link && posix.resolve(folder.path, link);
  const name = unit.slice(0, -suffix.length);
  const masked = { name, description: null, type: null, comesAndGoes: true };
  const text = target === '/dev/null' ? '' : await files.read(`${folder.path}/${fileName}`);
  if (text === '') return { ...masked, enabled: inRun(folder.path) ? 'masked-runtime' : 'masked' };
  if (target && isAlias(target, fileName)) return null;
  if (text === null) return null;
  const { description, type, mayLackProcesses, install } = parseServiceUnit(text);
  const enablers = folders.filter(
    ({ path, wanted, units }) => wanted.has(unit) || (configured.has(path) && hasAliasOf(units, unit)),
  );
  const enabled = stateOf(folder.path, target, enablers, install);
  const instance = /@(.*)\.service$/.exec(unit)?.[1] ?? '';
  return {
    name,
    description: description?.replaceAll(/%[iI]/g, instance) || null,
    enabled,
    type,
    // What nothing that starts with the host wants is for a timer, a socket or D-Bus to start.
    comesAndGoes: mayLackProcesses || (enablers.length === 0 && enabled !== 'disabled'),
  };

  function find(name: string): UnitFolder | undefined {
    return folders.find(({ units }) => units.has(name));
  }
}

function stateOf(
  path: string,
  target: string | null,
  enablers: readonly UnitFolder[],
  install: 'installable' | 'indirect' | 'static',
): string {
  if (path.startsWith('/run/systemd/generator')) return 'generated';
  if (path === '/run/systemd/transient') return 'transient';
  const enabler = enablers.find((folder) => configured.has(folder.path));
  if (enabler) return inRun(enabler.path) ? 'enabled-runtime' : 'enabled';
  const isElsewhere = target !== null && !unitFolders.includes(posix.dirname(target));
  if (isElsewhere) return inRun(path) ? 'linked-runtime' : 'linked';
  return install === 'installable' ? 'disabled' : install;
}

function inRun(path: string): boolean {
  return path.startsWith('/run/');
}

/** A link to a file of the same name stands for the file itself. */
function isAlias(target: string, unit: string): boolean {
  return posix.basename(target) !== unit;
}

function hasAliasOf(units: ReadonlyMap<string, string | null>, unit: string): boolean {
  for (const [name, link] of units) {
    if (link !== null && name !== unit && posix.basename(link) === unit) return true;
  }
  return false;
}
