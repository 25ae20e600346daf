/** bounded-folder: keeps the newest files of a folder, for what only people look at. Names have to sort by time. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type FolderBounds = { maxFiles: number; maxBytes: number };

/** Removes the oldest files until the rest is within bounds. */
export async function trimFolder(folder: string, { maxFiles, maxBytes }: FolderBounds): Promise<void> {
  let bytes = 0;
  let files = 0;
  for (const name of (await readdir(folder)).toSorted().reverse()) {
    const path = join(folder, name);
    files += 1;
    bytes += (await stat(path).catch(() => null))?.size ?? 0;
    if (files > maxFiles || bytes > maxBytes) await rm(path, { force: true });
  }
}
