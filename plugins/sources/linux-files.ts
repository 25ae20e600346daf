/**
 * linux-files: reads the small files of /proc, /sys, /etc and /run under a root folder.
 *
 * Missing, unreadable and refused files are all null here: on a real host any of them may be absent
 * (containers, hardened kernels, other architectures), and that is an answer, not an error.
 * Under a root other than `/` a link never leads out of it: the links of a mounted host are absolute,
 * and followed as they stand they would tell of the machine we run on.
 */
import { open, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';

export type LinuxFiles = {
  /**
   * The file's text without white space at its end, or null when it cannot be read. U+0000 is left out:
   * no fact may hold it, and a file that a power cut has filled with it is as good as empty.
   */
  read(path: string): Promise<string | null>;
  /** The same of an ASCII file of which only the beginning may matter: ends after the first piece that `goesOn` says no to. */
  readWhile(path: string, goesOn: (piece: string) => boolean): Promise<string | null>;
  /** The file's bytes, or null when it cannot be read. */
  readBytes(path: string): Promise<Uint8Array | null>;
  /** Names in a folder, sorted; null when it cannot be listed. */
  list(path: string): Promise<string[] | null>;
  /** What a symbolic link says, not followed; null when there is none. */
  link(path: string): Promise<string | null>;
  /** What changes when a file is written or a folder gains or loses a name; null when it cannot be told. */
  stamp(path: string): Promise<string | null>;
  /** When it was last written, RFC 3339; null when it cannot be told. */
  modifiedAt(path: string): Promise<string | null>;
  /** Where it lies for a program that opens it itself; null when there is no such thing. */
  locate(path: string): Promise<string | null>;
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
      return await read(root === '/' ? path : await follow(root, path));
    } catch {
      signal?.throwIfAborted();
      return null;
    }
  }
  return {
    read: (path) =>
      attempt(path, async (real) => (await readFile(real, 'utf8')).replaceAll('\0', '').trimEnd()),
    readWhile: (path, goesOn) => attempt(path, (real) => readPieces(real, goesOn)),
    readBytes: (path) => attempt(path, (real) => readFile(real)),
    list: (path) => attempt(path, async (real) => (await readdir(real)).sort()),
    async link(path) {
      signal?.throwIfAborted();
      return readlink(join(root, path)).catch(() => null);
    },
    stamp: (path) =>
      attempt(path, async (real) => {
        const { mtimeMs, size, ino } = await stat(real);
        return [mtimeMs, size, ino].join(' ');
      }),
    modifiedAt: (path) => attempt(path, async (real) => (await stat(real)).mtime.toISOString()),
    locate: (path) => attempt(path, async (real) => stat(real).then(() => real)),
  };
}

const pieceBytes = 65_536;

async function readPieces(real: string, goesOn: (piece: string) => boolean): Promise<string> {
  const file = await open(real);
  try {
    const buffer = Buffer.allocUnsafe(pieceBytes);
    let text = '';
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes);
      const piece = buffer.toString('latin1', 0, bytesRead);
      text += piece;
      if (bytesRead === 0 || !goesOn(piece)) return text.replaceAll('\0', '').trimEnd();
    }
  } finally {
    await file.close();
  }
}

/** The file that a path names as seen from inside `root`; only the last part of a path is looked at for links. */
async function follow(root: string, path: string): Promise<string> {
  let inside = path;
  for (let links = 0; links < maxLinks; links++) {
    const target = await readlink(join(root, inside)).catch(() => null);
    if (target === null) break;
    inside = posix.resolve(posix.dirname(inside), target);
  }
  return join(root, inside);
}
