/**
 * watch-files: notices that what some files hold has become something else, however that was done: written in place, by
 * an editor that renames, or by swapping a link, as Kubernetes does.
 *
 * Events of the folders only say when to look; what counts is what is read. A look each minute finds what no event tells,
 * as on network file systems.
 */
import { type FSWatcher, watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { contentOf } from './entry-key.ts';

export type WatchOptions = {
  /** Absolute paths; asked anew at each look, as they may become others. */
  files(): readonly string[];
  onChange(): void;
  /** When the files were read, in milliseconds since 1970: what changed since then is a change. @default now */
  readAt?: number;
  /** Between an event and the look, and until a file that changes is taken to be whole. @default 250 ms */
  settleMs?: number;
  /** @default a minute */
  lookEveryMs?: number;
};

/** Watches until `stop` is aborted. What the files hold once this resolves is what later looks are compared with. */
export async function watchFiles(options: WatchOptions, stop: AbortSignal): Promise<void> {
  const {
    files,
    onChange,
    readAt = Number.POSITIVE_INFINITY,
    settleMs = 250,
    lookEveryMs = 60_000,
  } = options;
  /** By file. */
  const known = new Map<string, string>();
  /** By folder and which one it is, as another may take its place. */
  const watchers = new Map<string, FSWatcher>();
  let candidate = '';
  let timer: NodeJS.Timeout | undefined;
  let isSoon = false;

  function lookIn(ms: number): void {
    clearTimeout(timer);
    isSoon = ms < lookEveryMs;
    if (!stop.aborted) timer = setTimeout(look, ms).unref();
  }

  /** Not later for each event: in a folder where much happens it would be never. */
  function lookSoon(): void {
    if (!isSoon) lookIn(settleMs);
  }

  async function look(): Promise<void> {
    isSoon = false;
    await follow();
    const now = await contents();
    const changed = [...now].filter(([file, content]) => known.get(file) !== content);
    for (const [file, content] of changed) if (!known.has(file)) known.set(file, content);
    const state = changed.map(([file, content]) => `${file} ${content}`).join();
    const isChange = changed.some(([file, content]) => known.get(file) !== content);
    if (!isChange) candidate = '';
    if (!isChange || isSoon) return lookIn(isSoon ? settleMs : lookEveryMs);
    // Twice the same, and nobody is writing any more.
    if (state !== candidate) {
      candidate = state;
      return lookIn(settleMs);
    }
    for (const [file, content] of changed) known.set(file, content);
    lookIn(lookEveryMs);
    onChange();
  }

  async function contents(): Promise<[string, string][]> {
    return Promise.all(files().map(async (file): Promise<[string, string]> => [file, await contentOf(file)]));
  }

  /** Watches the folders of the files, and of what they link to. */
  async function follow(): Promise<void> {
    const real = await Promise.all(files().map((file) => realpath(file).catch(() => file)));
    const folders = new Set([...files(), ...real].map((file) => dirname(file)));
    const wanted = new Map<string, string>();
    for (const folder of folders) {
      const found = await stat(folder).catch(() => null);
      if (found) wanted.set(`${found.dev} ${found.ino} ${folder}`, folder);
    }
    if (stop.aborted) return;
    for (const [key, watcher] of watchers) {
      if (wanted.has(key)) continue;
      watcher.close();
      watchers.delete(key);
    }
    for (const [key, folder] of wanted) {
      if (watchers.has(key)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, lookSoon);
        watcher.on('error', () => watcher.close());
        watchers.set(key, watcher);
      } catch {
        // There are too many watches, or none on this file system: the look each minute serves.
      }
    }
  }

  stop.addEventListener('abort', () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  });
  await follow();
  for (const [file, content] of await contents()) known.set(file, content);
  lookIn(lookEveryMs);
  // Not by the time of its content, which one that is moved or copied there brings along.
  const found = await Promise.all(files().map((file) => stat(file).catch(() => null)));
  if (found.some((file) => file !== null && file.ctimeMs > readAt)) onChange();
}
