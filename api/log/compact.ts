/**
 * compact: merges the small segments of past hours into few large ones, and drops copies on the way.
 *
 * Needs no lock and no condition: any number of processes may run it over one bucket, and die in it. What keeps
 * that safe is in `merge`; here is what is merged with what. docs/design/0003-log-and-index.md has the protocol.
 */
import type { Bucket, ObjectInfo } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import type { SegmentSink } from './catch-up.ts';
import { folderOf } from './folder-digests.ts';
import { type Group, idOf, makeGroup, merge, TakenByOthers } from './merge.ts';
import { abortable, readAhead } from './read-ahead.ts';
import { isSegmentKey, segmentFolder, segmentPrefix } from './segment-key.ts';
import { decodeLines, type StoredLine, textBytesOf } from './segment-lines.ts';
import { toldRange, toldTextBytes } from './text-size.ts';

export type CompactProgress = {
  /** Hours in which something was merged. */
  hours: number;
  /** Segments that were merged, and parts that they became. */
  merged: number;
  written: number;
  /** Reports in the parts, and copies of them that were dropped. */
  reports: number;
  copies: number;
  /** As stored: of what was merged, and of the parts. */
  bytesBefore: number;
  bytesAfter: number;
};

export type CompactResult = CompactProgress & {
  /** A Failure for each segment that cannot be read, or was stored other than it was put; their sources stay. */
  corrupt: readonly Failure[];
};

export type CompactOptions = {
  bucket: Bucket;
  /** Told of what was merged, so that it need not read it again. */
  index?: Pick<SegmentSink, 'replaced'>;
  /** Only hours from this one on; milliseconds since 1970. */
  since?: number;
  /** Called after each part. */
  onProgress?: (progress: CompactProgress) => void;
  onCorrupt: (failure: Failure) => void;
  /** Ends it between two steps: what was done stays, and the next pass goes on. */
  signal?: AbortSignal | undefined;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
  /**
   * How many bytes of text a part holds at most; twice as many where one that was full has to be merged once more.
   * @default 64 MiB
   */
  targetBytes?: number;
  /** zstd's. @default 9 */
  level?: number;
};

/** As long as catch-up expects writers to be late: a merged hour should not get another segment. */
const quietMs = 2 * 60 * 60 * 1000;
const defaultTargetBytes = 64 * 1024 * 1024;
/** 6 to 17 % smaller than at levels 1 to 6, and still faster than the reading; 12 takes twice as long for 1 %. */
const defaultLevel = 9;
/** Each report has a random id and times of its own: no text of reports shrinks to less than this share. */
const maxRatio = 512;
/** What could be large if it shrank by more than this is got whole: asking for its head first would gain little. */
const ratioWorthAsking = 32;
const requestsAtOnce = 8;
/** Two are enough, but where a store does not delete what it says it deleted there would be no end. */
const maxRounds = 4;

/**
 * Merges within each hour that ended two hours ago or earlier. An hour is gone into when it has two segments or more
 * of less than half the target. Afterwards it has one at most, so that a second pass writes nothing, and reads no more
 * than the heads of segments.
 *
 * Copies are dropped where they meet in a group: all of an hour that fits the target; of a larger hour what was
 * received at about the same time, and what a pass that was cut short has left. Others stay, and every reader
 * counts one of them.
 *
 * @throws Failure UNAVAILABLE when the bucket does not answer: what was done until then stays, and nothing is lost
 * @throws the reason of `signal` once that is aborted
 */
export async function compact(options: CompactOptions): Promise<CompactResult> {
  const { bucket, since, signal, now = Date.now } = options;
  const { mergeHour, result } = startPass(options);
  const end = segmentFolder(new Date(now() - quietMs).toISOString());
  const after = since === undefined ? '' : segmentFolder(new Date(since).toISOString());
  let hour: Hour | null = null;
  const list = bucket.list({ prefix: segmentPrefix, ...(after ? { after } : {}) });
  for await (const object of abortable(list, signal)) {
    if (object.key >= end) break;
    if (!isSegmentKey(object.key)) continue;
    const folder = folderOf(object.key);
    if (hour && hour.folder !== folder) {
      await mergeHour(hour);
      hour = null;
    }
    hour ??= { folder, segments: [] };
    hour.segments.push(object);
  }
  if (hour) await mergeHour(hour);
  return result();
}

/** All segments of an hour, in the order of their keys. */
type Hour = { folder: string; segments: ObjectInfo[] };

/** A part of an earlier pass, kept until the next one is met: as its ids, for its text would be too much. */
type LargeSegment = { object: ObjectInfo; body: Uint8Array; ids: ReadonlySet<string> };

function startPass(options: CompactOptions) {
  const { bucket, index, onProgress, onCorrupt, signal } = options;
  const { targetBytes = defaultTargetBytes, level = defaultLevel } = options;
  const largeBytes = targetBytes / 2;
  const progress = { hours: 0, merged: 0, written: 0, reports: 0, copies: 0, bytesBefore: 0, bytesAfter: 0 };
  const corrupt = new Map<string, Failure>();

  return { mergeHour, result: (): CompactResult => ({ ...progress, corrupt: [...corrupt.values()] }) };

  async function mergeHour({ folder, segments }: Hour): Promise<void> {
    const writtenBefore = progress.written;
    try {
      // Again until nothing more comes of it: what a merge brought side by side may share reports.
      let left = segments;
      for (let round = 0; round < maxRounds && (await isWorthMerging(left)); round += 1) {
        const { written } = progress;
        await mergeSmall(folder, await smallAndBeside(left));
        if (progress.written === written) break;
        left = await listHour(folder);
      }
    } catch (cause) {
      if (!(cause instanceof TakenByOthers)) putAside(folder, cause);
    }
    if (progress.written > writtenBefore) progress.hours += 1;
  }

  async function listHour(folder: string): Promise<ObjectInfo[]> {
    const objects = await Array.fromAsync(abortable(bucket.list({ prefix: folder }), signal));
    return objects.filter(({ key }) => isSegmentKey(key));
  }

  async function isWorthMerging(segments: readonly ObjectInfo[]): Promise<boolean> {
    let small = 0;
    for (const segment of segments.length < 2 ? [] : segments) {
      if (segment.size < largeBytes / maxRatio || !(await isLarge(segment))) small += 1;
      if (small === 2) return true;
    }
    return false;
  }

  /** Without those that are large and next to large ones: a large one is read for what it shares with small ones. */
  async function smallAndBeside(all: readonly ObjectInfo[]): Promise<ObjectInfo[]> {
    // What is larger even when compressed is no part of ours, and can be merged with nothing.
    const segments = all.filter(({ size }) => size <= targetBytes);
    const large: boolean[] = [];
    for (let start = 0; start < segments.length; start += requestsAtOnce) {
      const some = segments.slice(start, start + requestsAtOnce);
      const isWorthAsking = ({ size }: ObjectInfo) => size >= largeBytes / ratioWorthAsking;
      large.push(...(await Promise.all(some.map((each) => isWorthAsking(each) && isLarge(each)))));
    }
    return segments.filter((_, at) => !(large[at] && (large[at - 1] ?? true) && (large[at + 1] ?? true)));
  }

  /** By its head alone. */
  async function isLarge(segment: ObjectInfo): Promise<boolean> {
    if (segment.size >= largeBytes) return true;
    signal?.throwIfAborted();
    const told = await bucket.get(segment.key, toldRange(segment));
    if (!told) throw new TakenByOthers();
    return (toldTextBytes(segment.key, told) ?? 0) >= largeBytes;
  }

  /**
   * Gathers small segments into groups, in the order of their keys, which is that of time. A large one stays as it is,
   * unless it shares reports with the small ones around it: then it is a part whose sources were not all deleted,
   * and being named for its first report it lies where they do.
   */
  async function mergeSmall(folder: string, segments: readonly ObjectInfo[]): Promise<void> {
    let group = makeGroup();
    let large: LargeSegment | null = null;
    for await (const { object, body } of readAhead(bucket, segments, signal)) {
      if (!body) throw new TakenByOthers();
      const { start, end } = toldRange(object);
      const told = toldTextBytes(object.key, body.subarray(start, end)) ?? 0;
      if (told > 2 * targetBytes) continue;
      const lines = await readLines(folder, object.key, body);
      if (!lines) continue;
      // Counted, as not every segment tells.
      if (lines.reduce((sum, line) => sum + textBytesOf(line), 0) >= largeBytes) {
        const isShared = group.hasAnyOf(lines);
        if (isShared) group.add(object, lines);
        large = isShared ? null : { object, body, ids: new Set(lines.map(idOf)) };
        continue;
      }
      if (large && hasAnyOf(large, lines)) {
        group.add(large.object, await decodeLines(large.object.key, large.body));
        large = null;
      }
      const more = group.textBytesOfNew(lines);
      if (more > 0 && group.textBytes + more > targetBytes) {
        await mergeGroup(group);
        group = makeGroup();
      }
      group.add(object, lines);
    }
    await mergeGroup(group);
  }

  /** Null for what is to be left alone. */
  async function readLines(folder: string, key: string, body: Uint8Array): Promise<StoredLine[] | null> {
    try {
      const lines = await decodeLines(key, body);
      // One that was put into another hour's folder by hand: its part would belong elsewhere.
      return lines.every((line) => hourOf(line) === folder) ? lines : null;
    } catch (cause) {
      putAside(key, cause);
      return null;
    }
  }

  async function mergeGroup(group: Group): Promise<void> {
    if (group.sources.length < 2 && group.copies === 0) return;
    const part = await merge(group, { bucket, level, signal });
    progress.merged += group.sources.length;
    progress.written += 1;
    progress.reports += group.reports;
    progress.copies += group.copies;
    progress.bytesBefore += group.sources.reduce((sum, { size }) => sum + size, 0);
    progress.bytesAfter += part.size;
    const sources = group.sources.map(({ key }) => key);
    // An index that does not hear of it reads the part like any other.
    await index?.replaced([part.key], sources).catch(() => {});
    onProgress?.({ ...progress });
  }

  function putAside(what: string, cause: unknown): void {
    if (!(cause instanceof Failure) || cause.kind !== 'CORRUPT') throw cause;
    if (corrupt.has(what)) return;
    corrupt.set(what, cause);
    onCorrupt(cause);
  }
}

function hasAnyOf({ ids }: LargeSegment, lines: readonly StoredLine[]): boolean {
  return lines.some((line) => ids.has(idOf(line)));
}

function hourOf({ receivedAt }: StoredLine): string {
  return segmentFolder(new Date(receivedAt).toISOString());
}
