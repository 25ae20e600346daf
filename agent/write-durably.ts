/** write-durably: a file that is there whole or not at all, and still there after a power cut. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export type DurableFile = {
  path: string;
  /** Where it is written first: in the same folder, and of nobody else who may write at this time. */
  temporary: string;
  /** Permissions, as in chmod. */
  mode: number;
};

export async function writeDurably(
  { path, temporary, mode }: DurableFile,
  data: string | Uint8Array,
): Promise<void> {
  try {
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // On a full disk what was begun would take room from what comes next.
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

/** A new name is on the disk once its folder is. Windows opens no folders, and needs no such thing. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => null);
  await folder?.sync().finally(() => folder.close());
}
