/** folder-digests: what a list showed of each folder, in as few bytes as tell whether another showed the same. */
import { createHash } from 'node:crypto';

export type FolderDigests = ReadonlyMap<string, string>;

export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** Takes keys as they are listed: those of one folder come together. */
export function digestFolders() {
  const digests = new Map<string, string>();
  let folder: string | null = null;
  let hash = createHash('sha1');
  const close = () => {
    if (folder !== null) digests.set(folder, hash.digest('base64url'));
  };
  return {
    add(key: string): void {
      const next = folderOf(key);
      if (next !== folder) {
        close();
        folder = next;
        hash = createHash('sha1');
      }
      hash.update(key);
    },
    /** To be called once, at the end. */
    digests(): FolderDigests {
      close();
      return digests;
    },
  };
}
