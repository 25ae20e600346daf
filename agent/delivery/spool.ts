/**
 * spool: keeps every report until it is acknowledged: on the disk, or in memory while that cannot be written.
 *
 * Bounded in bytes and age, the oldest dropped first. How many were given up, for whatever reason, is told by the next
 * report that is kept; when that one is dropped in turn, its count goes on to the one after it.
 */
import { join } from 'node:path';
import { errorText } from '../error-text.ts';
import type { SubmitReportInput } from '../report.ts';
import type { Log } from '../run.ts';
import { writeDeadLetter } from './dead-letters.ts';
import { DamagedEntryError, decodeEntry, encodeEntry, readHeader } from './spool-entry.ts';
import { openSpoolFolder } from './spool-folder.ts';

export type SpoolBounds = {
  /** Of disk space; the newest report is kept even if it alone takes more. */
  maxBytes: number;
  maxAgeMs: number;
};

export type KeptReport = { report: SubmitReportInput /** As JSON. */; textBytes: number };

export type Spool = {
  /** Keeps a report, and returns it as it was kept: with the number of those dropped since the last one. */
  add(report: SubmitReportInput): Promise<SubmitReportInput>;
  /** Ids of all that wait, the oldest first, without those that have become too old. */
  waiting(): Promise<string[]>;
  /** Null when it is gone, as another process delivered it, or damaged, and set aside now. */
  read(id: string): Promise<KeptReport | null>;
  /** It was acknowledged. */
  remove(id: string): Promise<void>;
  /** It will never be taken: puts it with the dead letters. Returns its path there; null when it could not be written. */
  refuse(report: SubmitReportInput, reason: string): Promise<string | null>;
  counts(): SpoolCounts;
};

export type SpoolCounts = {
  /** Given up by this process, for whatever reason. */
  droppedReports: number;
  memoryReports: number;
};

export type SpoolOptions = {
  /** Holds `spool/` and `dead-letter/`, made as needed. */
  stateFolder: string;
  /** Looked at each time: they may become others. */
  bounds: SpoolBounds;
  log: Log;
  /** Milliseconds since 1970. */
  now(): number;
};

/** Compressed, so some thousand reports. */
const maxMemoryBytes = 8 * 1024 * 1024;

export function openSpool({ stateFolder, bounds, log, now }: SpoolOptions): Spool {
  const spoolPath = join(stateFolder, 'spool');
  const folder = openSpoolFolder(spoolPath);
  /** What could not be written, the oldest first. */
  const memory = new Map<string, Buffer>();
  /** Done with, but the disk did not let go of them. */
  const left = new Set<string>();
  /** Damaged, and could not be set aside. */
  const damaged = new Set<string>();
  /** To be told by the next report. */
  let dropped = 0;
  let droppedInAll = 0;
  let isInMemory = false;

  function failed(error: unknown): void {
    if (isInMemory) return;
    isInMemory = true;
    const fields = { folder: spoolPath, cause: errorText(error) };
    log.warn(fields, 'the spool cannot be used: reports are kept in memory until it can');
  }

  async function listDisk(): Promise<{ id: string; bytes: number }[]> {
    try {
      const entries = await folder.list();
      return entries.filter(({ id }) => !left.has(id) && !damaged.has(id));
    } catch (error) {
      failed(error);
      return [];
    }
  }

  /** Gives one up; it counts only where it was this process that removed it. */
  async function drop(id: string): Promise<number> {
    const entry = memory.get(id) ?? (await folder.read(id).catch(() => null));
    const removed = memory.delete(id) || (await discard(id));
    if (!removed) return 0;
    let carried = 0;
    try {
      carried = entry ? readHeader(entry).droppedReports : 0;
    } catch (error) {
      if (!(error instanceof DamagedEntryError)) throw error;
    }
    dropped += 1 + carried;
    droppedInAll += 1;
    return 1;
  }

  async function discard(id: string): Promise<boolean> {
    try {
      const removed = await folder.remove(id);
      left.delete(id);
      return removed;
    } catch (error) {
      left.add(id);
      failed(error);
      return true;
    }
  }

  async function dropAll(
    ids: readonly string[],
    why: string,
    fields: Record<string, unknown>,
  ): Promise<void> {
    let count = 0;
    for (const id of ids) count += await drop(id);
    if (count > 0) log.warn({ ...fields, reports: count }, `reports dropped: ${why}`);
  }

  async function dropOld(): Promise<void> {
    const oldest = now() - bounds.maxAgeMs;
    const ids = [...(await listDisk()).map(({ id }) => id), ...memory.keys()];
    await dropAll(
      ids.filter((id) => madeAt(id) < oldest),
      'they waited for too long',
      { maxAgeMs: bounds.maxAgeMs },
    );
  }

  async function makeRoom(bytes: number): Promise<void> {
    await dropAll(beyond(await listDisk(), bounds.maxBytes - bytes), 'the spool is full', {
      maxBytes: bounds.maxBytes,
    });
  }

  async function keepInMemory(id: string, entry: Buffer): Promise<void> {
    memory.set(id, entry);
    const most = Math.min(maxMemoryBytes, bounds.maxBytes);
    const held = [...memory].map(([id, { length }]) => ({ id, bytes: length }));
    const newest = held.pop();
    await dropAll(beyond(held, most - (newest?.bytes ?? 0)), 'the memory for reports is full', {
      maxBytes: most,
    });
  }

  /** Whether the disk has all that was kept in memory. */
  async function writeMemory(): Promise<boolean> {
    const reports = memory.size;
    for (const [id, entry] of memory) {
      try {
        await makeRoom(entry.length);
        await folder.write(id, entry);
      } catch {
        return false;
      }
      memory.delete(id);
    }
    if (isInMemory) log.info({ folder: spoolPath, reports }, 'the spool can be used again');
    isInMemory = false;
    return true;
  }

  return {
    async add(report) {
      await dropOld();
      let kept = { ...report, droppedReports: dropped };
      let entry = encodeEntry(kept);
      await makeRoom(entry.length);
      if (kept.droppedReports !== dropped) {
        kept = { ...report, droppedReports: dropped };
        entry = encodeEntry(kept);
      }
      dropped -= kept.droppedReports;
      try {
        await folder.write(kept.id, entry);
      } catch (error) {
        failed(error);
        await keepInMemory(kept.id, entry);
        return kept;
      }
      await writeMemory();
      return kept;
    },
    async waiting() {
      for (const id of left) await discard(id);
      await dropOld();
      const ids = new Set([...(await listDisk()).map(({ id }) => id), ...memory.keys()]);
      return [...ids].toSorted();
    },
    async read(id) {
      try {
        const entry = memory.get(id) ?? (await folder.read(id));
        return entry && decodeEntry(entry);
      } catch (error) {
        dropped += 1;
        droppedInAll += 1;
        const keptAs = await folder.setAside(id).catch(() => null);
        // It must not come up again and again where it could not be moved.
        if (keptAs === null) damaged.add(id);
        log.error({ reportId: id, cause: errorText(error), keptAs }, 'a damaged report was set aside');
        return null;
      }
    },
    async remove(id) {
      memory.delete(id);
      await discard(id);
    },
    async refuse(report, reason) {
      dropped += 1 + report.droppedReports;
      droppedInAll += 1;
      const letters = join(stateFolder, 'dead-letter');
      const keptAs = await writeDeadLetter(letters, report, reason, now()).catch((error) => {
        failed(error);
        return null;
      });
      memory.delete(report.id);
      await discard(report.id);
      return keptAs;
    },
    counts: () => ({ droppedReports: droppedInAll, memoryReports: memory.size }),
  };
}

/** The oldest of them, without which the rest is within so many bytes. */
function beyond(entries: readonly { id: string; bytes: number }[], maxBytes: number): string[] {
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const ids: string[] = [];
  for (const entry of entries) {
    if (bytes <= maxBytes) break;
    bytes -= entry.bytes;
    ids.push(entry.id);
  }
  return ids;
}

/** Milliseconds since 1970, by the host's clock then: the first 48 bits of a UUID version 7. */
export function madeAt(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
