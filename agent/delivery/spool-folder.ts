/**
 * spool-folder: reports as files of a folder, which several processes may use at the same time.
 *
 * A file is written whole under another name first, never changed, and removed once. So what another process does
 * shows only as files that come and go, and of several that remove one, one has.
 */
import { readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import { writeDurably } from '../write-durably.ts';
import { type FolderBounds, trimFolder } from './bounded-folder.ts';

export type SpoolFolder = {
  /** Every report in it with the size of its file, the oldest first. Empty when there is no folder yet. */
  list(): Promise<{ id: string; bytes: number }[]>;
  write(id: string, entry: Buffer): Promise<void>;
  /** Null when it is gone. */
  read(id: string): Promise<Buffer | null>;
  /** Whether it was there until now. */
  remove(id: string): Promise<boolean>;
  /** Moves it to where it is not delivered from, and returns its path there. */
  setAside(id: string): Promise<string>;
};

const suffix = '.report';
const temporarySuffix = '.tmp';
/** A UUID of version 7, which sorts by time. */
const namePattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.report$/;

/** Writing takes milliseconds: what is older was left by a process that died. */
const abandonedMs = 60 * 60 * 1_000;
const damagedBounds: FolderBounds = { maxFiles: 20, maxBytes: 4 * 1024 * 1024 };

export function isReportFile(name: string): boolean {
  return namePattern.test(name);
}

export function openSpoolFolder(folder: string): SpoolFolder {
  const damaged = join(folder, 'damaged');
  /** Files do not change, so each is asked for its size once. */
  let sizes = new Map<string, number>();
  let hasTidied = false;

  const pathOf = (id: string) => join(folder, id + suffix);

  async function tidy(names: readonly string[]): Promise<void> {
    hasTidied = true;
    for (const name of names.filter((name) => name.endsWith(temporarySuffix))) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true }).catch(() => {});
    }
  }

  return {
    async list() {
      const names = await readdir(folder).catch(unlessMissing<string[]>([]));
      if (!hasTidied) await tidy(names);
      const known = sizes;
      sizes = new Map();
      for (const name of names.filter(isReportFile).toSorted()) {
        const bytes = known.get(name) ?? (await stat(join(folder, name)).catch(unlessMissing(null)))?.size;
        if (bytes !== undefined) sizes.set(name, bytes);
      }
      return [...sizes].map(([name, bytes]) => ({ id: name.slice(0, -suffix.length), bytes }));
    },
    async write(id, entry) {
      await makeFolder(folder, 0o700);
      const path = pathOf(id);
      await writeDurably({ path, temporary: `${path}.${process.pid}${temporarySuffix}`, mode: 0o600 }, entry);
    },
    read: (id) => readFile(pathOf(id)).catch(unlessMissing(null)),
    remove: (id) => unlink(pathOf(id)).then(() => true, unlessMissing(false)),
    async setAside(id) {
      await makeFolder(damaged, 0o700);
      const path = join(damaged, id + suffix);
      await rename(pathOf(id), path);
      await trimFolder(damaged, damagedBounds);
      return path;
    },
  };
}

function unlessMissing<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return instead;
    throw error;
  };
}
