/** tmpfs: a small disk of a test's own, which can be filled up. Only root may mount one, on Linux. */
import { spawnSync } from 'node:child_process';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { whenFileIsDone } from './cleanup.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type SmallDisk = {
  folder: string;
  /** Leaves no byte free. */
  fill(): Promise<void>;
  /** Gives back all that `fill` took. */
  makeRoom(): Promise<void>;
};

export const smallDiskNeeded = 'needs root on Linux, to mount a small tmpfs';

export function canMountSmallDisk(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', ['-V']).status === 0;
}

/**
 * Mounted until the test file is done.
 *
 * @param files how many files and folders it takes, itself among them; by default as many as there is room for
 */
export async function mountSmallDisk(kiB: number, { files }: { files?: number } = {}): Promise<SmallDisk> {
  const folder = await temporaryFolder();
  const bounds = `size=${kiB}k${files === undefined ? '' : `,nr_inodes=${files}`}`;
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', bounds, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`cannot mount a tmpfs: ${stderr}`);
  // Lazily: what still has a file open there must not keep it mounted for ever.
  whenFileIsDone(() => spawnSync('umount', ['-l', folder]));
  const ballast = join(folder, 'ballast');
  return {
    folder,
    async fill() {
      for (const size of [64 * 1024, 1024]) {
        const block = Buffer.alloc(size, 1);
        while (await appendFile(ballast, block).then(() => true, isFull));
      }
    },
    makeRoom: () => rm(ballast),
  };
}

function isFull(cause: NodeJS.ErrnoException): false {
  if (cause.code !== 'ENOSPC') throw cause;
  return false;
}
