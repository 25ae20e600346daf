/**
 * find-files: looks for files by name in folders of the host, bounded, and says where it was not let in.
 *
 * Links to files are taken, links to folders are not followed: they make loops, and under a root other than `/` they
 * may lead out of it.
 */
import type { Dirent } from 'node:fs';
import { glob, readdir, realpath, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { insideRoot } from './linux-files.ts';

export type Place = {
  /** A folder, a file, or a pattern with `*`, `?`, `[` or `{`. */
  path: string;
  /** How many folders deep its files may lie: 1 is the folder itself. */
  depth: number;
  /** What a file in such a folder is called; one that is named itself may have any name. */
  name: RegExp;
};

export type FindOptions = {
  root: string;
  signal: AbortSignal;
  places: readonly Place[];
  maxFiles: number;
};

/** Both as paths of the host, `files` sorted and each once. */
export type Found = { files: string[]; unreadable: string[] };

/** @throws Error when there are more than `maxFiles` */
export async function findFiles({ root, signal, places, maxFiles }: FindOptions): Promise<Found> {
  const files = new Set<string>();
  const unreadable: string[] = [];

  function add(path: string): void {
    files.add(path);
    if (files.size <= maxFiles) return;
    throw new Error(`more than ${maxFiles} files may hold one, such as ${path}: name fewer places`);
  }

  async function walk(path: string, depth: number, name: RegExp): Promise<void> {
    signal.throwIfAborted();
    const entries = await list(path);
    if (entries === null) return;
    for (const entry of entries) {
      const inner = posix.join(path, entry.name);
      if (entry.isDirectory()) {
        if (depth > 1) await walk(inner, depth - 1, name);
      } else if (name.test(entry.name)) add(inner);
    }
  }

  /** Null when it is no folder, or one that is withheld, which is noted. */
  async function list(path: string): Promise<Dirent[] | null> {
    try {
      return await readdir(await insideRoot(root, path), { withFileTypes: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') unreadable.push(path);
      return null;
    }
  }

  for (const { path, depth, name } of places) {
    if (isPattern(path)) for (const file of await expand(root, path, signal)) add(file);
    else if (await isFile(root, path)) add(path);
    else await walk(path, depth, name);
  }
  return { files: [...files].sort(), unreadable: [...new Set(unreadable)] };
}

function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

async function isFile(root: string, path: string): Promise<boolean> {
  return stat(await insideRoot(root, path)).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function expand(root: string, pattern: string, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const top = await realpath(root);
  for await (const entry of glob(pattern.slice(1), { cwd: root, withFileTypes: true })) {
    signal.throwIfAborted();
    if (entry.isDirectory()) continue;
    const folder = await realpath(entry.parentPath).catch(() => null);
    const isInside = folder !== null && (top === '/' || folder === top || folder.startsWith(`${top}/`));
    if (isInside) found.push(posix.join('/', posix.relative(root, join(entry.parentPath, entry.name))));
  }
  return found;
}
