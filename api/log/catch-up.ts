/**
 * catch-up: brings the index up to what the bucket holds.
 *
 * Applying is idempotent, so that it may read what is there already, and other API processes may write to the same
 * bucket and merge its segments meanwhile. docs/design/0003-log-and-index.md has the protocol.
 */
import type { BucketReader, ListOptions, ObjectInfo } from '../bucket/bucket.ts';
import type { Failure } from '../failure.ts';
import { type Bulk, maxBulkTextBytes, readBulks } from './bulks.ts';
import { digestFolders, type FolderDigests, folderOf } from './folder-digests.ts';
import { abortable } from './read-ahead.ts';
import type { Segment, StoredSegment } from './segment.ts';
import { isSegmentKey, keyBefore, segmentFolder, segmentPrefix } from './segment-key.ts';
import { makeTaker } from './taker.ts';

/** The part of an index that catch-up fills. */
export type SegmentSink = {
  /**
   * In one transaction with their keys: all or nothing. Those applied before are passed over.
   *
   * @throws Failure CORRUPT for a line that is no report
   */
  apply(segments: readonly (Segment | StoredSegment)[]): Promise<void>;
  /** Those of the given keys that were applied before. */
  appliedOf(keys: readonly string[]): Promise<Set<string>>;
  /**
   * Where the next catch-up begins: all segments before it were listed and applied. Null at first.
   * Not the last key applied: what is written at this moment is applied past segments that are missing.
   */
  mark(): Promise<string | null>;
  setMark(mark: string): Promise<void>;
  /**
   * Takes merged segments for applied, and forgets their sources, where all of the sources were applied. A key may be
   * both: then it is kept.
   */
  replaced(parts: readonly string[], sources: readonly string[]): Promise<void>;
};

/**
 * recent: what came in the last ten minutes, with one list request; for every half minute.
 * mark: all since the last pass of this kind that reached its end; on start and every hour.
 * start: the whole bucket; for an index that is new, or may have gaps.
 */
export type CatchUpFrom = 'recent' | 'mark' | 'start';

export type CatchUpProgress = {
  /** Applied in this pass. */
  segments: number;
  reports: number;
  /** As stored. */
  bytes: number;
  /** What is to be applied in this pass, as far as it is known; `recent` learns it as it goes. */
  of: { segments: number; bytes: number };
};

export type CatchUpResult = {
  segments: number;
  reports: number;
  /** A Failure for each segment that was set aside. */
  corrupt: readonly Failure[];
};

export type CatchUpOptions = {
  bucket: BucketReader;
  index: SegmentSink;
  from: CatchUpFrom;
  /** What was received before this hour is none of the index's business. Milliseconds since 1970. */
  notBefore?: number;
  /** Called after each transaction. */
  onProgress?: (progress: CatchUpProgress) => void;
  /** Told once of each segment that is set aside: every pass tries it again. */
  onCorrupt: (failure: Failure) => void;
  /** Ends it between two transactions; what was applied until then stays. */
  signal?: AbortSignal | undefined;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
};

const minuteMs = 60 * 1000;
/** Twenty rounds of 'recent': one that another process put while the bucket did not answer us is still in it. */
const recentMs = 10 * minuteMs;
/** A slow put may land this long after later ones: another writer's, or one whose clock is behind. */
const overlapMs = 120 * minuteMs;
/** Keys asked for at once. */
const pageSize = 1000;
/** The digest of a folder that is not there. */
const nothing = '';
/** Segments that are merged while they are read settle in two. */
const maxRounds = 5;

/**
 * @throws Failure UNAVAILABLE when bucket or index do not answer; what was applied until then stays
 * @throws the reason of `signal` once that is aborted
 */
export async function catchUp(options: CatchUpOptions): Promise<CatchUpResult> {
  const { bucket, index, from, notBefore, onProgress, onCorrupt, signal, now = Date.now } = options;
  const startedAt = now();
  /** What lies before it is no longer written to, but it may be merged. */
  const settled = segmentFolder(new Date(startedAt - overlapMs).toISOString());
  const progress: CatchUpProgress = { segments: 0, reports: 0, bytes: 0, of: { segments: 0, bytes: 0 } };
  const setAside = new Map<string, Failure>();
  const vanishedFrom = new Set<string>();
  const take = makeTaker(index, putAside);

  const stretch = listFrom(await beginning());
  const surveyed = from === 'recent' ? null : await goOver(stretch, async (missing) => expect(missing));
  const listed = new Map(await goOver(stretch, (missing) => applyAll(missing, from === 'recent')));
  let unsettled = new Set([...vanishedFrom, ...(surveyed ? differing(surveyed, listed) : [])]);
  for (let round = 0; unsettled.size > 0 && round < maxRounds; round += 1) {
    vanishedFrom.clear();
    const changed = new Set<string>();
    for (const folder of unsettled) if (!(await isSettledNow(folder))) changed.add(folder);
    unsettled = new Set([...changed, ...vanishedFrom]);
  }
  if (from !== 'recent') {
    const held = [...unsettled, ...[...setAside.keys()].map(folderOf)];
    await index.setMark(held.reduce((mark, folder) => (folder < mark ? folder : mark), settled));
  }
  const { segments, reports } = progress;
  return { segments, reports, corrupt: [...setAside.values()] };

  async function beginning(): Promise<string> {
    let first = '';
    if (from === 'recent') first = keyBefore(startedAt - recentMs);
    if (from === 'mark') first = (await index.mark()) ?? '';
    // Its whole hour: a merged segment is named for its first report, and may hold later ones.
    const horizon = notBefore === undefined ? '' : segmentFolder(new Date(notBefore).toISOString());
    return first > horizon ? first : horizon;
  }

  /** Hands on what the index lacks, page by page. */
  async function goOver(
    options: ListOptions,
    handOn: (missing: readonly ObjectInfo[]) => Promise<void>,
  ): Promise<FolderDigests> {
    const folders = digestFolders();
    let page: ObjectInfo[] = [];
    const takePage = async () => {
      const applied = await index.appliedOf(page.map(({ key }) => key));
      await handOn(page.filter(({ key }) => !applied.has(key) && !setAside.has(key)));
      page = [];
    };
    for await (const object of abortable(bucket.list(options), signal)) {
      if (!isSegmentKey(object.key)) continue;
      folders.add(object.key);
      page.push(object);
      if (page.length === pageSize) await takePage();
    }
    if (page.length > 0) await takePage();
    return folders.digests();
  }

  /**
   * What is merged while a list is read may be missing from it: the sources are gone when their turn comes, and the
   * merged segment was put where the list had passed already. Two lists in a row that are the same show that
   * nothing was.
   */
  function differing(before: FolderDigests, after: FolderDigests): string[] {
    const folders = new Set([...before.keys(), ...after.keys()]);
    return [...folders].filter((folder) => folder < settled && before.get(folder) !== after.get(folder));
  }

  /** Goes over it again. */
  async function isSettledNow(folder: string): Promise<boolean> {
    const again = await goOver({ prefix: folder }, (missing) => applyAll(missing, true));
    const isSame = (again.get(folder) ?? nothing) === (listed.get(folder) ?? nothing);
    listed.set(folder, again.get(folder) ?? nothing);
    return isSame || folder >= settled;
  }

  function expect(missing: readonly ObjectInfo[]): void {
    progress.of.segments += missing.length;
    progress.of.bytes += missing.reduce((sum, { size }) => sum + size, 0);
  }

  async function applyAll(missing: readonly ObjectInfo[], isNews: boolean): Promise<void> {
    if (isNews) expect(missing);
    const onVanished = (key: string) => vanishedFrom.add(folderOf(key));
    // The next segments are read and parsed while the index takes these: it may be in another thread or process.
    let applying: Promise<void> = Promise.resolve();
    try {
      for await (const bulk of readBulks(missing, { bucket, onVanished, onCorrupt: putAside, signal })) {
        await applying;
        signal?.throwIfAborted();
        applying = applyBulk(bulk);
        applying.catch(() => {});
        // But not two large ones at a time: parsed, a merged segment takes some hundred megabytes.
        if (bulk.textBytes > maxBulkTextBytes) await applying;
      }
    } catch (cause) {
      await applying;
      throw cause;
    }
    await applying;
  }

  async function applyBulk({ segments, bytes }: Bulk): Promise<void> {
    const taken = await take(segments);
    progress.segments += taken.length;
    progress.reports += taken.reduce((sum, { lines }) => sum + lines.length, 0);
    progress.bytes += bytes;
    progress.of.segments = Math.max(progress.of.segments, progress.segments);
    progress.of.bytes = Math.max(progress.of.bytes, progress.bytes);
    onProgress?.({ ...progress, of: { ...progress.of } });
  }

  function putAside(key: string, failure: Failure): void {
    setAside.set(key, failure);
    onCorrupt(failure);
  }
}

function listFrom(after: string): ListOptions {
  return { prefix: segmentPrefix, ...(after ? { after } : {}) };
}
