/**
 * linux-files: reads the small files of /proc, /sys, /etc and /run under a root folder.
 *
 * Missing, unreadable and refused files are all null here: on a real host any of them may be absent
 * (containers, hardened kernels, other architectures), and that is an answer, not an error.
 * Under a root other than `/` a link never leads out of it: the links of a mounted host are absolute,
 * and followed as they stand they would tell of the machine we run on.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';

export type LinuxFiles = {
  /**
   * The file's text without white space at its end, or null when it cannot be read. U+0000 is left out:
   * no fact may hold it, and a file that a power cut has filled with it is as good as empty.
   */
  read(path: string): Promise<string | null>;
  /** The file's bytes, or null when it cannot be read. */
  readBytes(path: string): Promise<Uint8Array | null>;
  /** Names in a folder, sorted; null when it cannot be listed. */
  list(path: string): Promise<string[] | null>;
  /** What a symbolic link says, not followed; null when there is none. */
  link(path: string): Promise<string | null>;
};

/** As many as Linux follows before it calls a chain of links a loop. */
const maxLinks = 40;

/**
 * @param signal once aborted, every call rejects with its reason: a plugin out of time stops at its next file
 */
export function linuxFiles(root: string, signal?: AbortSignal): LinuxFiles {
  async function attempt<T>(path: string, read: (real: string) => Promise<T>): Promise<T | null> {
    signal?.throwIfAborted();
    try {
      return await read(await insideRoot(root, path));
    } catch {
      signal?.throwIfAborted();
      return null;
    }
  }
  return {
    read: (path) =>
      attempt(path, async (real) => (await readFile(real, 'utf8')).replaceAll('\0', '').trimEnd()),
    readBytes: (path) => attempt(path, (real) => readFile(real)),
    list: (path) => attempt(path, async (real) => (await readdir(real)).sort()),
    async link(path) {
      signal?.throwIfAborted();
      return readlink(join(root, path)).catch(() => null);
    },
  };
}

/** The file that a path names as seen from inside `root`; only the last part of a path is looked at for links. */
export async function insideRoot(root: string, path: string): Promise<string> {
  if (root === '/') return path;
  let inside = path;
  for (let links = 0; links < maxLinks; links++) {
    const target = await readlink(join(root, inside)).catch(() => null);
    if (target === null) break;
    inside = posix.resolve(posix.dirname(inside), target);
  }
  return join(root, inside);
}
