/** spool-figures: what lies in the spool of a state folder, told from the names and sizes of its files alone. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { madeAt } from '../delivery/spool.ts';
import { isReportFile } from '../delivery/spool-folder.ts';

export type SpoolFigures = {
  /** That wait for the API. */
  reports: number;
  bytes: number;
  /** When the oldest of them was collected. RFC 3339; null when there is none. */
  oldestAt: string | null;
  /** Files in `dead-letter/`: reports that the API refused for good. */
  deadLetters: number;
  /** Files in `spool/damaged/`. */
  damaged: number;
};

/** @throws Error when a folder is there and cannot be read */
export async function readSpoolFigures(stateFolder: string): Promise<SpoolFigures> {
  const spool = join(stateFolder, 'spool');
  const names = (await namesIn(spool)).filter(isReportFile).toSorted();
  const sizes = await Promise.all(names.map((name) => sizeOf(join(spool, name))));
  const [oldest] = names;
  const [letters, damaged] = await Promise.all([
    namesIn(join(stateFolder, 'dead-letter')),
    namesIn(join(spool, 'damaged')),
  ]);
  return {
    reports: names.length,
    bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    oldestAt: oldest === undefined ? null : new Date(madeAt(oldest)).toISOString(),
    deadLetters: letters.filter((name) => name.endsWith('.json')).length,
    damaged: damaged.length,
  };
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

/** One that is delivered just now takes no room any more. */
async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}
