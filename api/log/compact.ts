/**
 * compact: merges the small segments of each past hour into few large ones, and drops copies on the way.
 *
 * Needs no lock and no condition: any number of processes may run it over one bucket, and die in it.
 *
 * - An object is deleted only by a process that has put, and read back, one object that holds all of its reports. The
 *   reports of a group go into one part, never into several, so that the part always holds more than each source, or
 *   is one of them. "Holds more" has no circles: what holds the most is never deleted.
 * - A part's name comes from its reports. Two processes that merge the same write the same object, and one
 *   that goes on after a crash overwrites what was put before it, and goes on deleting.
 *
 * docs/design/0003-log-and-index.md has the protocol.
 */
import type { Bucket, ObjectInfo } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import type { SegmentSink } from './catch-up.ts';
import { compareCopies } from './copies.ts';
import { abortable, readAhead } from './read-ahead.ts';
import { isSegmentKey, segmentFolder, segmentKey, segmentPrefix } from './segment-key.ts';
import {
  decodeLines,
  encodeLines,
  type StoredLine,
  textBytesOf,
  toldRange,
  toldTextBytes,
} from './segment-lines.ts';

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
  /** A Failure for each segment that could not be read, or was not stored as it was put; all sources stay. */
  corrupt: readonly Failure[];
};

export type CompactOptions = {
  bucket: Bucket;
  /** Told of what was merged, so that it does not read it all again. */
  index?: Pick<SegmentSink, 'replaced'>;
  /** Only hours from this one on; milliseconds since 1970. */
  since?: number;
  /** Called after each part. */
  onProgress?: (progress: CompactProgress) => void;
  onCorrupt: (failure: Failure) => void;
  /** Ends it between two steps: what was put stays, and the next pass goes on. */
  signal?: AbortSignal | undefined;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
  /**
   * How many bytes of text a part holds at most; twice as much where one that was full already has to be merged
   * again. @default 64 MiB
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
  const merger = openMerger(options);
  const end = segmentFolder(new Date(now() - quietMs).toISOString());
  const after = since === undefined ? '' : segmentFolder(new Date(since).toISOString());
  let hour: Hour | null = null;
  const list = bucket.list({ prefix: segmentPrefix, ...(after ? { after } : {}) });
  for await (const object of abortable(list, signal)) {
    if (object.key >= end) break;
    if (!isSegmentKey(object.key)) continue;
    const folder = object.key.slice(0, object.key.lastIndexOf('/') + 1);
    if (hour && hour.folder !== folder) {
      await merger.mergeHour(hour);
      hour = null;
    }
    hour ??= { folder, segments: [] };
    hour.segments.push(object);
  }
  if (hour) await merger.mergeHour(hour);
  return merger.result();
}

/** All segments of an hour, in the order of their keys. */
type Hour = { folder: string; segments: ObjectInfo[] };

/** Someone else is merging this hour: what they leave is for the next pass. */
class HourIsTaken extends Error {}

function openMerger(options: CompactOptions) {
  const { bucket, index, onProgress, onCorrupt, signal } = options;
  const { targetBytes = defaultTargetBytes, level = defaultLevel } = options;
  const largeBytes = targetBytes / 2;
  const progress = { hours: 0, merged: 0, written: 0, reports: 0, copies: 0, bytesBefore: 0, bytesAfter: 0 };
  const corrupt: Failure[] = [];

  return { mergeHour, result: (): CompactResult => ({ ...progress, corrupt }) };

  async function mergeHour({ folder, segments }: Hour): Promise<void> {
    const { written } = progress;
    try {
      if (await isWorthMerging(segments)) await mergeSmall(folder, await besideSmall(segments));
    } catch (cause) {
      if (!(cause instanceof HourIsTaken)) throw cause;
    }
    if (progress.written > written) progress.hours += 1;
  }

  async function isWorthMerging(segments: readonly ObjectInfo[]): Promise<boolean> {
    let small = 0;
    for (const segment of segments.length < 2 ? [] : segments) {
      if (segment.size < largeBytes / maxRatio || !(await isLarge(segment))) small += 1;
      if (small === 2) return true;
    }
    return false;
  }

  /** Those that are small, or may be, and those next to them: a large one is read only for what it shares with them. */
  async function besideSmall(segments: readonly ObjectInfo[]): Promise<ObjectInfo[]> {
    const large: boolean[] = [];
    for (let start = 0; start < segments.length; start += requestsAtOnce) {
      const some = segments.slice(start, start + requestsAtOnce);
      large.push(
        ...(await Promise.all(
          some.map((segment) => segment.size >= largeBytes / ratioWorthAsking && isLarge(segment)),
        )),
      );
    }
    return segments.filter((_, at) => !(large[at - 1] ?? true) || !large[at] || !(large[at + 1] ?? true));
  }

  /** By as little as its head. */
  async function isLarge(segment: ObjectInfo): Promise<boolean> {
    if (segment.size >= largeBytes) return true;
    signal?.throwIfAborted();
    const told = await bucket.get(segment.key, toldRange(segment));
    if (!told) throw new HourIsTaken();
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
      if (!body) throw new HourIsTaken();
      const { start, end } = toldRange(object);
      const told = toldTextBytes(object.key, body.subarray(start, end)) ?? 0;
      // Larger than any part, it could not be merged with anything.
      if (told > 2 * targetBytes || object.size > targetBytes) continue;
      const lines = await readLines(folder, object.key, body);
      if (!lines) continue;
      if (told >= largeBytes) {
        const isShared = group.has(lines);
        if (isShared) group.add(object, lines);
        large = isShared ? null : { object, body, ids: new Set(lines.map(idOf)) };
        continue;
      }
      if (large && lines.some((line) => large?.ids.has(idOf(line)))) {
        group.add(large.object, await decodeLines(large.object.key, large.body));
        large = null;
      }
      const more = group.textBytesOfNew(lines);
      if (more > 0 && group.textBytes() + more > targetBytes) {
        await merge(group);
        group = makeGroup();
      }
      group.add(object, lines);
    }
    await merge(group);
  }

  /** Null for what is to be left alone. */
  async function readLines(folder: string, key: string, body: Uint8Array): Promise<StoredLine[] | null> {
    try {
      const lines = await decodeLines(key, body);
      // One that was put by hand into another hour's folder would change its place.
      const isAtHome = ({ receivedAt }: StoredLine) =>
        segmentFolder(new Date(receivedAt).toISOString()) === folder;
      return lines.every(isAtHome) ? lines : null;
    } catch (cause) {
      putAside(cause);
      return null;
    }
  }

  async function merge(group: Group): Promise<void> {
    if (group.sources.length < 2 && group.copies() === 0) return;
    const key = segmentKey(group.sorted());
    if (!group.sources.some((source) => source.key === key)) await addWhatIsThere(key, group);
    const lines = group.sorted();
    const body = await encodeLines(lines, level);
    signal?.throwIfAborted();
    await bucket.put(key, body);
    await confirm(key, body, lines);
    progress.merged += group.sources.length;
    progress.written += 1;
    progress.reports += lines.length;
    progress.copies += group.copies();
    progress.bytesBefore += group.sources.reduce((sum, { size }) => sum + size, 0);
    progress.bytesAfter += body.length;
    // In order: whoever merges the same at this moment notices by the first that is gone.
    const gone = group.sources.filter((source) => source.key !== key);
    for (let start = 0; start < gone.length; start += requestsAtOnce) {
      signal?.throwIfAborted();
      await Promise.all(gone.slice(start, start + requestsAtOnce).map((source) => bucket.delete(source.key)));
    }
    try {
      await index?.replaced(
        [key],
        group.sources.map((source) => source.key),
      );
    } catch {
      // It then reads the part like any other: nothing is lost but a little time.
    }
    onProgress?.({ ...progress });
  }

  /** One of the same name has the same reports, but may have been made of other copies. */
  async function addWhatIsThere(key: string, group: Group): Promise<void> {
    const body = await bucket.get(key);
    if (!body) return;
    try {
      group.add({ key, size: body.length }, await decodeLines(key, body));
    } catch (cause) {
      // A damaged one is mended by being overwritten.
      if (!isCorrupt(cause)) throw cause;
    }
  }

  /**
   * Reads the part back. Nothing else this API does destroys what it cannot make again, and there are stores that
   * confirm a put and keep something else.
   */
  async function confirm(key: string, put: Uint8Array, lines: readonly StoredLine[]): Promise<void> {
    const stored = await bucket.get(key);
    if (!stored) throw new HourIsTaken();
    if (Buffer.compare(stored, put) === 0) return;
    try {
      const found = await decodeLines(key, stored);
      const isSame = (line: StoredLine, at: number) =>
        Buffer.compare(line.line, lines[at]?.line ?? noBytes) === 0;
      // Another version of this program may compress the same lines otherwise, or have met other copies.
      if (found.length === lines.length && found.every(isSame)) return;
    } catch (cause) {
      if (!isCorrupt(cause)) throw cause;
      const message = `segment ${key} was stored other than it was put: its sources are kept; check the store`;
      putAside(new Failure('CORRUPT', message, { cause }));
    }
    throw new HourIsTaken();
  }

  function putAside(cause: unknown): void {
    if (!isCorrupt(cause)) throw cause;
    corrupt.push(cause);
    onCorrupt(cause);
  }
}

/** A segment that is a part already, kept until the next: only its ids are held, its text would be too much. */
type LargeSegment = { object: ObjectInfo; body: Uint8Array; ids: ReadonlySet<string> };

type Group = ReturnType<typeof makeGroup>;

/** Segments that become one, and their reports, each in the copy that counts. */
function makeGroup() {
  const sources: ObjectInfo[] = [];
  const reports = new Map<string, StoredLine>();
  let textBytes = 0;
  let lineCount = 0;
  return {
    sources: sources as readonly ObjectInfo[],
    textBytes: () => textBytes,
    copies: () => lineCount - reports.size,

    has: (lines: readonly StoredLine[]) => lines.some((line) => reports.has(idOf(line))),

    /** What it would grow by. */
    textBytesOfNew: (lines: readonly StoredLine[]) =>
      lines.reduce((sum, line) => (reports.has(idOf(line)) ? sum : sum + textBytesOf(line)), 0),

    add(source: ObjectInfo, lines: readonly StoredLine[]) {
      sources.push(source);
      lineCount += lines.length;
      for (const line of lines) {
        const known = reports.get(idOf(line));
        if (known && compareCopies(known, line) <= 0) continue;
        reports.set(idOf(line), line);
        textBytes += textBytesOf(line) - (known ? textBytesOf(known) : 0);
      }
    },

    /** By host and time: what a host says hardly changes, and compresses to next to nothing beside itself. */
    sorted: () =>
      [...reports.values()].sort(
        (a, b) => compareText(a.hostId, b.hostId) || a.receivedAt - b.receivedAt || compareText(a.id, b.id),
      ),
  };
}

const noBytes = new Uint8Array();

/** As the index knows it, which does not tell upper from lower case. */
function idOf({ id }: StoredLine): string {
  return id.toLowerCase();
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isCorrupt(cause: unknown): cause is Failure {
  return cause instanceof Failure && cause.kind === 'CORRUPT';
}
