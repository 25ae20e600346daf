/**
 * config-file: finds and reads the config, wherever and in whatever form it was written.
 *
 * Says nothing about what the config holds: see `config`.
 */
import { access, constants, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Loader, Loaders } from 'cosmiconfig';
import { loadingProblem } from '../plugins/loading-problem.ts';
import { errorText, OperatorError } from './error-text.ts';
import { defaultLoadMs, loadWithin } from './load-within.ts';

export type ConfigFile = {
  /** Absolute; null when there is no config file anywhere. */
  path: string | null;
  /** What relative plugin files are relative to: the folder of the config file. */
  folder: string;
  /** What it holds, unchecked; undefined when it is empty or there is none. */
  value: unknown;
};

/** A config file that is not there or cannot be read; the message says which and why. */
export class ConfigFileError extends OperatorError {
  override name = 'ConfigFileError';
}

const moduleName = 'agent';

const wholeFiles = ['json', 'yaml', 'yml', 'ts', 'js', 'mjs'].map((ext) => `${moduleName}.config.${ext}`);
const rcFiles = ['', '.json', '.yaml', '.yml', '.js', '.ts', '.mjs'].map((ext) => `.${moduleName}rc${ext}`);

/** Where a config is looked for in the current folder, first to last. */
export const searchPlaces: readonly string[] = [...wholeFiles, ...rcFiles, 'package.json'];

/** Where the config of the whole machine lies; looked at when the current folder has none. */
export const systemFolder = '/etc/os-inspector';

/** Where `findConfig` looks, for people. */
export function describeSearch(cwd: string, system = systemFolder): string {
  return `${cwd} (${moduleName}.config.json and its like) and ${system}`;
}

export type FindOptions = {
  /** Looked at when the current folder has none. @default systemFolder */
  system?: string;
  /** Time that a config which is a module has to load. @default 30000 */
  loadMs?: number;
};

/**
 * Reads `file`, or else the first config found in the current folder or the system's.
 *
 * @throws ConfigFileError when `file` is not there, or the first config found cannot be read or parsed
 */
export async function findConfig(
  cwd: string,
  file: string | null = null,
  { system = systemFolder, loadMs = defaultLoadMs }: FindOptions = {},
): Promise<ConfigFile> {
  if (file !== null) return readConfig(resolve(cwd, file), loadMs);
  return (
    (await search(cwd, searchPlaces, loadMs)) ??
    (await search(system, wholeFiles, loadMs)) ?? { path: null, folder: cwd, value: undefined }
  );
}

async function readConfig(path: string, loadMs: number): Promise<ConfigFile> {
  const { cosmiconfig } = await import('cosmiconfig');
  const found = await cosmiconfig(moduleName, { loaders: await loadersFor(loadMs) })
    .load(path)
    .catch(fail(path));
  if (!found) throw new ConfigFileError(`cannot use ${path}: it has no "${moduleName}" key`);
  return { path, folder: dirname(path), value: found.config };
}

async function search(folder: string, places: readonly string[], loadMs: number): Promise<ConfigFile | null> {
  const { cosmiconfig } = await import('cosmiconfig');
  const explorer = cosmiconfig(moduleName, {
    searchPlaces: [...places],
    loaders: await loadersFor(loadMs),
    searchStrategy: 'none',
    // A file that is there but empty is meant: its defaults serve, and no other file is used behind it.
    ignoreEmptySearchPlaces: false,
  });
  const found = await explorer.search(folder).catch(fail(folder));
  await refuseUnreadable(folder, places, found?.filepath);
  return found && { path: found.filepath, folder: dirname(found.filepath), value: found.config };
}

/** How a file is read, by its extension; what holds nothing is undefined, an empty config. */
async function loadersFor(loadMs: number): Promise<Loaders> {
  const { defaultLoaders } = await import('cosmiconfig');
  const orEmpty =
    (load: Loader): Loader =>
    async (path, content) => {
      const value = await load(path, content);
      // To cosmiconfig null is a file that is not meant, as a package.json without our key.
      return basename(path) === 'package.json' ? value : (value ?? undefined);
    };
  const loadModule = orEmpty((path) => importDefault(path, loadMs));
  const json = orEmpty(unquoted('JSON', defaultLoaders['.json']));
  const loadYaml = unquoted('YAML', defaultLoaders['.yaml']);
  const yaml = orEmpty((path, text) => (isCommentAlone(text) ? null : loadYaml(path, text)));
  const data = { '.json': json, '.yaml': yaml, '.yml': yaml, noExt: yaml };
  return { ...data, '.ts': loadModule, '.js': loadModule, '.mjs': loadModule };
}

/** Parsers quote the text around what they do not understand, and that may be a secret: the place is enough. */
function unquoted(language: string, load: Loader): Loader {
  return async (path, text) => {
    try {
      return await load(path, text);
    } catch (cause) {
      // The first line names the file, which we do as well; from the third on stands what YAML quotes.
      const [first = '', message = first] = (cause as Error).message.split('\n');
      const [, what, quoted] = /^(.*), (?:\.{3})?"(.*)$/.exec(message) ?? [];
      if (what === undefined || quoted === undefined) throw new Error(`not right ${language}: ${message}`);
      const start = quoted.replace(/"(?:\.{3})? is not valid JSON$/, '');
      const line = text.slice(0, text.indexOf(start)).split('\n').length;
      throw new Error(`not right ${language}: ${what} near line ${line}`);
    }
  };
}

/** To YAML such a file has no document at all, which is an error there. */
function isCommentAlone(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(?:#|$)/.test(line));
}

/** By path, when those that Node has loaded were changed last. */
const loadedModules = new Map<string, number>();

/** Another one than before for a module that has changed: Node reads none twice. */
async function moduleUrl(path: string): Promise<string> {
  const { mtimeMs } = await stat(path);
  const first = loadedModules.get(path) ?? mtimeMs;
  loadedModules.set(path, first);
  const { href } = pathToFileURL(path);
  return mtimeMs === first ? href : `${href}?changed=${mtimeMs}`;
}

/** Not cosmiconfig's own loader: it runs a module that fails a second time, and its error is another. */
async function importDefault(path: string, loadMs: number): Promise<unknown> {
  let module: { default?: unknown };
  try {
    const url = await moduleUrl(path);
    module = await loadWithin(loadMs, () => import(url));
  } catch (cause) {
    // A config is looked for as .mjs, but not as .mts.
    throw new ConfigFileError(loadingProblem(cause, path, path.endsWith('.js')), { cause });
  }
  if (module.default === undefined) {
    throw new ConfigFileError('it has no default export: write "export default { … }"');
  }
  return module.default;
}

/** A search passes over files that it may not read, and the agent would run with another config than meant. */
async function refuseUnreadable(folder: string, places: readonly string[], found?: string): Promise<void> {
  for (const place of places) {
    const path = join(folder, place);
    if (path === found) return;
    const error = await access(path, constants.R_OK).then(
      () => null,
      (cause: NodeJS.ErrnoException) => cause,
    );
    if (error?.code === 'EACCES') fail(path)(error);
  }
}

function fail(path: string): (cause: NodeJS.ErrnoException & { filepath?: string }) => never {
  return (cause) => {
    const file = cause.filepath ?? path;
    if (cause.code === 'ENOENT') throw new ConfigFileError(`no config file ${file}`, { cause });
    const reason = errorText(cause).replace(`${file}: `, '');
    throw new ConfigFileError(`cannot read config file ${file}: ${reason}`, { cause });
  };
}
