/**
 * diskstats: what block devices have done since boot.
 */
import { wholeBytes, wholeNumber } from './whole-number.ts';

export type DiskIo = {
  name: string;
  readBytes: number | null;
  writtenBytes: number | null;
  reads: number | null;
  writes: number | null;
  busySeconds: number | null;
};

/** The kernel counts in sectors of this size, whatever the device's own is. */
export const sectorBytes = 512;

/** Lines of /proc/diskstats: major, minor, name, then the counters of Documentation/admin-guide/iostats.rst. */
export function parseDiskStats(diskstats: string): Map<string, DiskIo> {
  return new Map(
    diskstats.split('\n').flatMap((line) => {
      const [, , name, reads, , sectorsRead, , writes, , sectorsWritten, , , busyMs] = line
        .trim()
        .split(/ +/);
      if (!name || busyMs === undefined) return [];
      const busy = wholeNumber(busyMs);
      const io = {
        name,
        readBytes: wholeBytes(sectorsRead, sectorBytes),
        writtenBytes: wholeBytes(sectorsWritten, sectorBytes),
        reads: wholeNumber(reads),
        writes: wholeNumber(writes),
        busySeconds: busy === null ? null : busy / 1000,
      };
      return [[name, io] as const];
    }),
  );
}

/** Names by device numbers (`8:1`), from /proc/partitions: major, minor, size in blocks, name. */
export function parsePartitionNames(partitions: string): Map<string, string> {
  return new Map(
    [...partitions.matchAll(/^ *(\d+) +(\d+) +\d+ (\S+)$/gm)].map(
      ([, major, minor, name = '']) => [`${major}:${minor}`, name] as const,
    ),
  );
}
