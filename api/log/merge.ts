/**
 * merge: makes one segment of a group of them, and deletes those. Nothing else deletes from the log.
 *
 * An object is deleted only by a process that has put, and read back, one object that holds all of its reports. It is
 * one, never several: the part then always holds more reports than each object that is deleted for it, or the same in
 * better copies. "Holds more" has no circles, so that of all objects that ever held a report the one that
 * holds the most is there, whoever else merges the same at this moment and wherever anyone dies.
 */
import type { Bucket, ObjectInfo } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { compareCopies } from './copies.ts';
import { segmentKey } from './segment-key.ts';
import { decodeLines, encodeLines, type StoredLine, textBytesOf } from './segment-lines.ts';

/** Segments that become one, and their reports, each in the copy that counts. */
export type Group = {
  readonly sources: readonly ObjectInfo[];
  /** How many there are of the sources' lines, and how large they are as text. */
  readonly reports: number;
  readonly copies: number;
  readonly textBytes: number;
  add(source: ObjectInfo, lines: readonly StoredLine[]): void;
  hasAnyOf(lines: readonly StoredLine[]): boolean;
  /** By how many bytes of text these lines would make it larger. */
  textBytesOfNew(lines: readonly StoredLine[]): number;
  /** In no order. */
  lines(): StoredLine[];
};

export function makeGroup(): Group {
  const sources: ObjectInfo[] = [];
  const reports = new Map<string, StoredLine>();
  let textBytes = 0;
  let lineCount = 0;
  return {
    sources,
    get reports() {
      return reports.size;
    },
    get copies() {
      return lineCount - reports.size;
    },
    get textBytes() {
      return textBytes;
    },
    add(source, lines) {
      sources.push(source);
      lineCount += lines.length;
      for (const line of lines) {
        const known = reports.get(idOf(line));
        if (known && compareCopies(known, line) <= 0) continue;
        reports.set(idOf(line), line);
        textBytes += textBytesOf(line) - (known ? textBytesOf(known) : 0);
      }
    },
    hasAnyOf: (lines) => lines.some((line) => reports.has(idOf(line))),
    textBytesOfNew: (lines) =>
      lines.reduce((sum, line) => (reports.has(idOf(line)) ? sum : sum + textBytesOf(line)), 0),
    lines: () => [...reports.values()],
  };
}

/** As the index knows it, which does not tell upper from lower case. */
export function idOf({ id }: StoredLine): string {
  return id.toLowerCase();
}

export type MergeOptions = {
  bucket: Bucket;
  /** zstd's. */
  level: number;
  /** Ends it before the put or between two deletes. */
  signal?: AbortSignal | undefined;
};

/** Someone else is merging the same: what they leave is for the next pass. */
export class TakenByOthers extends Error {}

const deletesAtOnce = 8;

/**
 * The part that was put; of the sources all are gone but one that has the part's name.
 *
 * @throws TakenByOthers with all sources left
 * @throws Failure UNAVAILABLE when the bucket does not answer; CORRUPT when it gives back other than was put, with all
 *   sources left
 */
export async function merge(group: Group, { bucket, level, signal }: MergeOptions): Promise<ObjectInfo> {
  const key = segmentKey(
    group.lines().map(({ id, receivedAt }) => ({ id, receivedAt: new Date(receivedAt).toISOString() })),
  );
  if (!group.sources.some((source) => source.key === key)) await addWhatIsThere(bucket, key, group);
  const lines = group.lines().sort(byHostAndTime);
  const body = await encodeLines(lines, level);
  signal?.throwIfAborted();
  await bucket.put(key, body);
  await confirm(bucket, key, body, lines);
  // In order: whoever merges the same at this moment notices by the first that is gone.
  const gone = group.sources.filter((source) => source.key !== key);
  for (let start = 0; start < gone.length; start += deletesAtOnce) {
    signal?.throwIfAborted();
    await Promise.all(gone.slice(start, start + deletesAtOnce).map((source) => bucket.delete(source.key)));
  }
  return { key, size: body.length };
}

/** One of the same name has the same reports, but may have been made of other copies. */
async function addWhatIsThere(bucket: Bucket, key: string, group: Group): Promise<void> {
  const body = await bucket.get(key);
  if (!body) return;
  try {
    group.add({ key, size: body.length }, await decodeLines(key, body));
  } catch (cause) {
    // A damaged one is mended by being overwritten.
    if (!isCorrupt(cause)) throw cause;
  }
}

/** There are stores that confirm a put and keep something else, and what is deleted next cannot be made again. */
async function confirm(
  bucket: Bucket,
  key: string,
  put: Uint8Array,
  lines: readonly StoredLine[],
): Promise<void> {
  const stored = await bucket.get(key);
  if (!stored) throw new TakenByOthers();
  if (Buffer.compare(stored, put) === 0) return;
  let found: StoredLine[];
  try {
    found = await decodeLines(key, stored);
  } catch (cause) {
    if (!isCorrupt(cause)) throw cause;
    const message = `segment ${key} is stored other than it was put; its sources are kept: check the store`;
    throw new Failure('CORRUPT', message, { cause });
  }
  // Another version of this program may compress the same lines otherwise.
  const isSame = (line: StoredLine, at: number) =>
    Buffer.compare(line.line, found[at]?.line ?? noBytes) === 0;
  if (found.length !== lines.length || !lines.every(isSame)) throw new TakenByOthers();
}

const noBytes = new Uint8Array();

/** What a host says hardly changes: beside itself it compresses to next to nothing. */
function byHostAndTime(a: StoredLine, b: StoredLine): number {
  return compareText(a.hostId, b.hostId) || a.receivedAt - b.receivedAt || compareText(a.id, b.id);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isCorrupt(cause: unknown): boolean {
  return cause instanceof Failure && cause.kind === 'CORRUPT';
}
