/**
 * entry-key: tells whether a plugin that a config names is the same as before: by what the config says of it, the secrets
 * that it names, and the file that it is in. How long it may take and how often it is asked is no part of what it is.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import type { PluginEntry } from './config.ts';

/** Not where the config names it: an entry that moves stays the same. */
export async function entryKey(entry: PluginEntry, folder: string, isBuiltIn: boolean): Promise<string> {
  const { path, timeoutMs, intervalMs, ...settings } = entry;
  const hash = createHash('sha256').update(JSON.stringify(isBuiltIn ? [settings] : [settings, folder]));
  for (const file of secretFiles(entry.options)) hash.update(await contentOf(file));
  if (!isBuiltIn && isFile(entry.use)) hash.update(await stampOf([resolve(folder, entry.use)]));
  return hash.digest('base64url');
}

/** Another one whenever one of these files was written or replaced; of one that is not there, that it is so. */
export async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    const found = await stat(file).catch(() => null);
    return `${found?.mtimeMs} ${found?.size} ${found?.ino}`;
  });
  return (await Promise.all(stamps)).join();
}

/** The files of every `{ "file": "/path" }` within a value: those that hold secrets, among what looks like it. */
export function secretFiles(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { file, ...rest } = value as { file?: unknown };
  const isReference = typeof file === 'string' && isAbsolute(file) && Object.keys(rest).length === 0;
  return isReference ? [file] : Object.values(value).flatMap(secretFiles);
}

function isFile(use: string): boolean {
  return use.startsWith('.') || isAbsolute(use);
}

/** A hash of what a file holds; of one that cannot be read, that it is so. */
export async function contentOf(file: string): Promise<string> {
  const content = await readFile(file).catch(() => null);
  return content === null ? 'none' : createHash('sha256').update(content).digest('base64url');
}
