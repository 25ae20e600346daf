/**
 * deb: builds the agent's Debian package, with the single executable and a unit for systemd.
 *
 * Needs `dpkg-deb`, and nothing else of Debian: see packaging/debian for what is in it.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { buildBundle } from './bundle.ts';
import { outputs, repository, version } from './outputs.ts';
import { buildExecutable } from './sea.ts';

const name = 'os-inspector-agent';
const packaging = join(repository, 'packaging');

/** Debian's names of what Node calls `process.arch`. */
const architectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** What goes into the package, by where it is installed. */
const files: Record<string, string> = {
  'etc/os-inspector/agent.config.yaml': 'debian/agent.config.yaml',
  'usr/lib/systemd/system/os-inspector-agent.service': 'systemd/os-inspector-agent.service',
  'usr/share/lintian/overrides/os-inspector-agent': 'debian/lintian-overrides',
  'usr/share/doc/os-inspector-agent/copyright': 'debian/copyright',
  'usr/share/doc/os-inspector-agent/install.md': '../docs/install.md',
};

const scripts = ['postinst', 'prerm', 'postrm'];

/** Who answers for this build, as Debian's own tools take it. */
const maintainer = `${process.env.DEBFULLNAME || 'The os-inspector authors'} <${process.env.DEBEMAIL || 'root@localhost'}>`;

/** Loose: the agent and its user read all of it, and secrets belong into agent.env. */
const plainMode = 0o644;
const programMode = 0o755;

export type DebOptions = {
  /** The single executable. */
  executable: string;
  /** The folder it is written to. */
  folder: string;
  /** @default that of package.json */
  version?: string;
  /** How it is compressed: well, or at once. @default 'xz' */
  compression?: 'xz' | 'none';
};

/** @returns its path */
export async function buildDeb(options: DebOptions): Promise<string> {
  const { executable, folder, compression = 'xz' } = options;
  // To Debian a "~" comes before all else, as a pre-release does to npm.
  const debVersion = (options.version ?? version).replace('-', '~');
  const root = await mkdtemp(join(tmpdir(), 'os-inspector-deb-'));
  try {
    await put(root, 'usr/bin/os-inspector-agent', programMode, executable);
    for (const [path, from] of Object.entries(files)) {
      await put(root, path, plainMode, join(packaging, from));
    }
    const doc = join(root, 'usr/share/doc', name);
    const changes = await readFile(join(repository, 'CHANGELOG.md'));
    await writeGzipped(join(doc, 'CHANGELOG.md.gz'), changes);
    await writeGzipped(join(doc, 'changelog.gz'), debianChangelog(debVersion));
    for (const script of scripts) {
      await put(root, `DEBIAN/${script}`, programMode, join(packaging, 'debian', script));
    }
    await writeFile(join(root, 'DEBIAN/conffiles'), '/etc/os-inspector/agent.config.yaml\n', {
      mode: plainMode,
    });
    await writeFile(join(root, 'DEBIAN/control'), await control(root, debVersion), { mode: plainMode });
    await openFolders(root);
    const file = join(folder, `${name}_${debVersion}_${architecture()}.deb`);
    await promisify(execFile)('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', root, file]);
    return file;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function put(root: string, path: string, mode: number, from: string): Promise<void> {
  const to = join(root, path);
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, mode);
}

async function writeGzipped(file: string, text: Buffer | string): Promise<void> {
  await writeFile(file, gzipSync(text, { level: 9 }));
  await chmod(file, plainMode);
}

/** In the one form that Debian's tools read, which says where the changes are. */
function debianChangelog(debVersion: string): string {
  const [weekday, day, month, year, time] = new Date().toUTCString().split(/,? /);
  return `${name} (${debVersion}) unstable; urgency=medium

  * What changed is in CHANGELOG.md.gz, beside this file.

 -- ${maintainer}  ${weekday}, ${day} ${month} ${year} ${time} +0000
`;
}

/** They are the host's folders to be, and must not be as private as what whoever builds this makes. */
async function openFolders(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  const paths = [root, ...folders.map(({ parentPath, name }) => join(parentPath, name))];
  await Promise.all(paths.map((path) => chmod(path, programMode)));
}

function architecture(): string {
  const known = architectures[process.arch];
  if (known === undefined) throw new Error(`Debian's name for ${process.arch} is not known here`);
  return known;
}

async function control(root: string, debVersion: string): Promise<string> {
  const template = await readFile(join(packaging, 'debian/control'), 'utf8');
  const values: Record<string, string> = {
    version: debVersion,
    architecture: architecture(),
    maintainer,
    installedKiB: String(Math.ceil((await sizeOf(join(root, 'usr'))) / 1024)),
  };
  return template.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => values[key] ?? '');
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(entries.map(async (entry) => (await stat(join(folder, entry))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Null where it can be built; else why not, and what to do. */
async function whyNot(): Promise<string | null> {
  if (process.platform !== 'linux') return 'a Debian package is built on Linux, and for its own architecture';
  const isThere = await promisify(execFile)('dpkg-deb', ['--version']).then(
    () => true,
    () => false,
  );
  return isThere
    ? null
    : 'dpkg-deb is missing: Debian and Ubuntu have it, elsewhere install the package "dpkg"';
}

async function main(): Promise<void> {
  await buildBundle(outputs.bundle);
  await buildExecutable(outputs.bundle, outputs.executable);
  process.stdout.write('compressing, which takes a minute\n');
  const file = await buildDeb({ executable: outputs.executable, folder: outputs.dist });
  process.stdout.write(`wrote ${file}: install it with "sudo apt install ${file}"\n`);
}

if (import.meta.main) {
  const problem = await whyNot();
  if (problem === null) await main();
  else {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
  }
}
