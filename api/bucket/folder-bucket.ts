/**
 * folder-bucket: a bucket in a folder of a local file system.
 *
 * Relies on rename being atomic and on fsync: a put is write, fsync, rename, fsync of the folder, so
 * that after a crash an object is there whole or not at all. Never shows a half-written object.
 */
import { randomUUID } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../../plugins/message-of.ts';
import { Failure } from '../failure.ts';
import { assertKey, type Bucket, type ByteRange, type ListOptions, type ObjectInfo } from './bucket.ts';

/** Beside the objects, so that the rename stays in one file system; no key can begin with a dot. */
const stagingFolder = '.staging';
/** A staged file this old belongs to no put that is still under way. */
const staleAfterMs = 60 * 60 * 1000;
/** Files asked for their size side by side; more gain nothing, and whoever wants only the first pays for all. */
const statsAtOnce = 64;

const hints: Record<string, string> = {
  ENOSPC:
    'the disk is full, or out of inodes: free some, or move the folder to a larger disk and correct BUCKET_URL',
  EDQUOT: 'the quota is used up: raise it, or move the folder and correct BUCKET_URL',
  EROFS:
    'the file system is read-only, as it becomes when its disk fails: look at the kernel log, then remount it',
  EACCES: 'the user who runs the API must own this folder and be allowed to write there',
  EPERM: 'the user who runs the API must own this folder and be allowed to write there',
  EIO: 'the disk fails: look at the kernel log',
};

/** Opens the folder, which is made when it is missing. */
export async function openFolderBucket(folder: string): Promise<Bucket> {
  const staging = join(folder, stagingFolder);
  await unavailable(`cannot use the bucket folder ${folder}`, async () => {
    await makeFolder(staging);
    await removeStale(staging);
  });

  return {
    location: `file:${folder}`,
    close() {},

    async put(key, body) {
      assertKey(key);
      const target = join(folder, key);
      const staged = join(staging, randomUUID());
      await unavailable(`cannot write ${key}`, async () => {
        try {
          // Not with its parents: where the whole bucket is gone, as with a disk that is not mounted, nothing
          // must be written in its place.
          await mkdir(staging).catch((cause) => {
            if (!isCode(cause, 'EEXIST')) throw cause;
          });
          await writeDurably(staged, body);
          await makeFoldersOf(key, folder);
          await rename(staged, target);
        } catch (cause) {
          await rm(staged, { force: true });
          throw cause;
        }
        await syncFolder(dirname(target));
      });
    },

    async get(key, range) {
      assertKey(key);
      return unavailable(`cannot read ${key}`, async () => {
        const file = await openIfThere(join(folder, key));
        if (!file) return null;
        try {
          const found = await file.stat();
          return found.isFile() ? await readRange(file, found.size, range) : null;
        } finally {
          await file.close();
        }
      });
    },

    async *list({ limit = Number.POSITIVE_INFINITY, ...options } = {}) {
      await unavailable(`cannot list ${folder}`, () => access(folder));
      let left = limit;
      if (left <= 0) return;
      for await (const object of walk(folder, '', options, left)) {
        yield object;
        left -= 1;
        if (left <= 0) return;
      }
    },

    async delete(key) {
      assertKey(key);
      await unavailable(`cannot delete ${key}`, () => rm(join(folder, key), { force: true }));
    },
  };
}

async function writeDurably(path: string, body: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a folder and syncs the parents of all that were new: an unsynced parent could lose the child. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** One by one and never the bucket itself: where it is gone, what is put must fail, not make another in its place. */
async function makeFoldersOf(key: string, bucket: string): Promise<void> {
  let parent = bucket;
  for (const part of key.split('/').slice(0, -1)) {
    const folder = join(parent, part);
    try {
      await mkdir(folder);
      await syncFolder(parent);
    } catch (cause) {
      if (!isCode(cause, 'EEXIST')) throw cause;
    }
    parent = folder;
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no handle on a folder to sync; its file systems journal the rename themselves.
  if (process.platform === 'win32') return;
  const handle = await openIfThere(folder);
  if (!handle) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) return null;
    throw cause;
  }
}

async function readRange(file: FileHandle, size: number, range?: ByteRange): Promise<Uint8Array> {
  if (!range) return file.readFile();
  const start = Math.min(range.start, size);
  const bytes = new Uint8Array(Math.max(0, Math.min(range.end ?? size, size) - start));
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) return bytes.subarray(0, filled);
    filled += bytesRead;
  }
  return bytes;
}

/** Yields what lies below `parent`, entering only folders that can hold what is asked for. */
async function* walk(
  folder: string,
  parent: string,
  options: Pick<ListOptions, 'prefix' | 'after'>,
  limit: number,
): AsyncGenerator<ObjectInfo> {
  const { prefix = '', after = '' } = options;
  // A folder's keys all begin with its name and a slash, so that is how it sorts among its siblings.
  const names = (await entriesOf(join(folder, parent)))
    .filter((entry) => !entry.name.startsWith('.'))
    .map((entry) => (entry.isDirectory() ? `${parent}${entry.name}/` : `${parent}${entry.name}`))
    .filter((name) =>
      name.endsWith('/')
        ? mayHold(name, prefix) && (name > after || after.startsWith(name))
        : name.startsWith(prefix) && name > after,
    )
    .sort();
  for (let start = 0; start < names.length; ) {
    const name = names[start] ?? '';
    if (name.endsWith('/')) {
      yield* walk(folder, name, options, limit);
      start += 1;
    } else {
      const files = names.slice(start, start + Math.min(statsAtOnce, limit));
      const end = files.findIndex((file) => file.endsWith('/'));
      if (end !== -1) files.length = end;
      for (const object of await sizesOf(folder, files)) yield object;
      start += files.length;
    }
  }
}

/** Those of the files that are still there. */
async function sizesOf(folder: string, keys: readonly string[]): Promise<ObjectInfo[]> {
  return unavailable(`cannot list ${folder}`, async () => {
    const found = await Promise.all(keys.map((key) => statIfThere(join(folder, key))));
    return keys.flatMap((key, index) => {
      const file = found[index];
      return file?.isFile() ? [{ key, size: file.size }] : [];
    });
  });
}

async function statIfThere(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return null;
    throw cause;
  }
}

function mayHold(folderName: string, prefix: string): boolean {
  return folderName.startsWith(prefix) || prefix.startsWith(folderName);
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return unavailable(`cannot list ${folder}`, async () => {
    try {
      return await readdir(folder, { withFileTypes: true });
    } catch (cause) {
      if (isCode(cause, 'ENOENT')) return [];
      throw cause;
    }
  });
}

async function removeStale(staging: string): Promise<void> {
  for (const name of await readdir(staging)) {
    const path = join(staging, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > staleAfterMs) await rm(path, { force: true });
  }
}

async function unavailable<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('UNAVAILABLE', `${what}: ${reasonOf(cause)}`, { cause });
  }
}

/** The system's own word, with what to do about what an operator meets first. */
function reasonOf(cause: unknown): string {
  const hint = cause instanceof Error && 'code' in cause && hints[String(cause.code)];
  return `${messageOf(cause)}${hint ? `; ${hint}` : ''}`;
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
