/**
 * config-file: finds and reads the config, wherever and in whatever form it was written.
 *
 * Says nothing about what the config holds: see `config`.
 */
import { access, constants } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorText, OperatorError } from './error-text.ts';

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

/**
 * Reads `file`, or else the first config found in the current folder or the system's.
 *
 * @throws ConfigFileError when `file` is not there, or the first config found cannot be read or parsed
 */
export async function findConfig(
  cwd: string,
  file: string | null = null,
  system = systemFolder,
): Promise<ConfigFile> {
  if (file !== null) return readConfig(resolve(cwd, file));
  return (
    (await search(cwd, searchPlaces)) ??
    (await search(system, wholeFiles)) ?? { path: null, folder: cwd, value: undefined }
  );
}

async function readConfig(path: string): Promise<ConfigFile> {
  const { cosmiconfig } = await import('cosmiconfig');
  const found = await cosmiconfig(moduleName).load(path).catch(fail(path));
  if (!found) throw new ConfigFileError(`cannot use ${path}: it has no "${moduleName}" key`);
  return { path, folder: dirname(path), value: found.config };
}

async function search(folder: string, places: readonly string[]): Promise<ConfigFile | null> {
  const { cosmiconfig } = await import('cosmiconfig');
  const explorer = cosmiconfig(moduleName, {
    searchPlaces: [...places],
    searchStrategy: 'none',
    // A file that is there but empty is meant: its defaults serve, and no other file is used behind it.
    ignoreEmptySearchPlaces: false,
  });
  const found = await explorer.search(folder).catch(fail(folder));
  await refuseUnreadable(folder, places, found?.filepath);
  return found && { path: found.filepath, folder: dirname(found.filepath), value: found.config };
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
