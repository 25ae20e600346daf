/**
 * make-folder: makes a folder and those above it that are missing.
 *
 * Not `mkdir` with `recursive`: that of Node 26 loops for ever where the system says ENOENT although the folder above is
 * there, as in /proc or in what autofs keeps (/net, often /home).
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** @param mode of what is made, less the umask; a folder that is there keeps its own. @default 0o777 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (await isFolder(path)) return;
    const above = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || (await isFolder(above))) throw error;
    await makeFolder(above, mode);
    await makeFolder(path, mode);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
