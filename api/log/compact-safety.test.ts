/**
 * compact-safety: merges, writers and readers over one bucket that fails, side by side, some of them dying on the way.
 *
 * Each run is decided by its seed alone. After every change of the bucket, each report that was ever in it must still
 * be in it.
 */
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { dyingBucket, type Faults, faultyBucket } from '../../test/support/faulty-bucket.ts';
import { memoryBucket } from '../../test/support/memory-bucket.ts';
import { type MemorySink, memorySink } from '../../test/support/memory-sink.ts';
import { type Random, seededRandom } from '../../test/support/noise.ts';
import { hostId, result, storedReport } from '../../test/support/reports.ts';
import type { Bucket } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';
import { catchUp } from './catch-up.ts';
import { compact } from './compact.ts';
import { type Copy, compareCopies } from './copies.ts';
import { encodeReport, encodeSegment } from './segment.ts';
import { segmentKey } from './segment-key.ts';
import type { StoredReport } from './stored-report.ts';

const runs = 200;
const now = () => Date.parse('2026-05-01T12:00:00Z');
const hours = ['05', '06', '07'];
const damagedKey = 'reports/date=2026-05-01/hour=06/0198f3a0-5c1e-7d3b-9a2f-1c2d3e4f5a6b.ndjson.zst';
const foreignKey = 'reports/date=2026-05-01/hour=05/notes.txt';

type Kit = ReturnType<typeof makeKit>;

/** Choices, by the seed. */
function makeKit(seed: number) {
  const random = seededRandom(seed);
  const below = (end: number) => Math.floor(random() * end);
  const chance = (share: number) => random() < share;
  const fork = (): Random => seededRandom(below(2 ** 31));
  let made = 0;
  const makeReport = (): StoredReport => {
    made += 1;
    const hour = hours[below(hours.length)];
    const [minute, ms] = [String(below(60)).padStart(2, '0'), String(below(3)).padStart(3, '0')];
    return storedReport({
      id: `0198f3a0-0000-7000-8000-${String(made).padStart(12, '0')}`,
      host: { id: hostId(below(4)), name: 'host', labels: {} },
      receivedAt: `2026-05-01T${hour}:${minute}:00.${ms}Z`,
      results: [result('any', 'x'.repeat(below(300)))],
    });
  };
  /**
   * As another API process takes the same report, at another time of the hour; told apart by the name. What is received
   * in the same millisecond is the same: its agent sends it again as it is.
   */
  const makeCopy = (report: StoredReport): StoredReport => {
    const minute = chance(0.3) ? report.receivedAt.slice(14, 16) : String(below(60)).padStart(2, '0');
    const receivedAt = `${report.receivedAt.slice(0, 14)}${minute}${report.receivedAt.slice(16)}`;
    if (receivedAt === report.receivedAt) return report;
    return { ...report, receivedAt, host: { ...report.host, name: `host ${below(100)}` } };
  };
  return { random, below, chance, fork, makeReport, makeCopy };
}

const unavailable = (cause: unknown) => {
  if (!(cause instanceof Failure) || cause.kind !== 'UNAVAILABLE') throw cause;
};
const ignored = () => {};

function linesIn(key: string, body: Uint8Array): string[] {
  const text = (key.endsWith('.gz') ? gunzipSync(body) : zstdDecompressSync(body)).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** A bucket that knows what is in it, and throws as soon as a report that was in it no longer is. */
function watchedBucket() {
  const memory = memoryBucket({ pageSize: 3 });
  const copiesOf = new Map<string, Copy[]>();
  const best = new Map<string, Copy>();
  const changes = { puts: 0, deletes: 0 };
  const lost: string[] = [];

  function without(key: string): string[] {
    const body = memory.objects.get(key);
    if (!body || key === damagedKey) return [];
    const ids = linesIn(key, body).map((line) => JSON.parse(line).id);
    for (const id of ids) copiesOf.get(id)?.pop();
    return ids;
  }
  function check(ids: string[], what: string) {
    for (const id of ids) if (copiesOf.get(id)?.length === 0) lost.push(`${id} by ${what}`);
  }

  const bucket: Bucket = {
    ...memory,
    async put(key, body) {
      changes.puts += 1;
      const ids = without(key);
      memory.objects.set(key, Uint8Array.from(body));
      const lines = linesIn(key, body);
      for (const line of lines) {
        const { id, receivedAt } = JSON.parse(line);
        const copy = { receivedAt: Date.parse(receivedAt), line };
        copiesOf.set(id, [...(copiesOf.get(id) ?? []), copy]);
        const known = best.get(id);
        if (!known || compareCopies(copy, known) < 0) best.set(id, copy);
      }
      check(ids, `put of ${key}`);
    },
    async delete(key) {
      changes.deletes += 1;
      const ids = without(key);
      memory.objects.delete(key);
      check(ids, `delete of ${key}`);
    },
  };
  const objectsWith = (id: string) => copiesOf.get(id)?.length ?? 0;
  return { bucket, memory, best, changes, lost, objectsWith };
}

/** What was there before; part of it the index has seen live. */
async function fill(kit: Kit, bucket: Bucket, index: MemorySink, reports: StoredReport[]): Promise<void> {
  for (const batch of batches(kit, reports)) {
    const [key, body] = await encoded(kit, batch);
    await bucket.put(key, body);
    if (kit.chance(0.5)) await index.apply([{ key, lines: linesIn(key, body) }]);
  }
}

/** Of one hour each, and never with a report twice, as the log makes them. */
function batches(kit: Kit, reports: StoredReport[]): StoredReport[][] {
  const byHour = Map.groupBy(reports, ({ receivedAt }) => receivedAt.slice(0, 13));
  return [...byHour.values()].flatMap((ofHour) => {
    const cut: StoredReport[][] = [];
    for (let left = ofHour; left.length > 0; ) {
      const batch = new Map(left.slice(0, 1 + kit.below(4)).map((report) => [report.id, report]));
      cut.push([...batch.values()]);
      left = left.filter((report) => batch.get(report.id) !== report);
    }
    return cut;
  });
}

async function encoded(kit: Kit, batch: StoredReport[]): Promise<[string, Uint8Array]> {
  const lines = batch.map(encodeReport);
  const key = segmentKey(batch);
  if (kit.chance(0.9)) return [key, await encodeSegment(lines)];
  // As older versions wrote them.
  return [key.replace('.zst', '.gz'), gzipSync(`${lines.map(({ line }) => line).join('\n')}\n`)];
}

/** Puts segments, again under the same name where one fails; gives up on some, and sends them as copies. */
async function write(kit: Kit, bucket: Bucket, segments: [string, Uint8Array][], acknowledged: Set<string>) {
  for (const [key, body] of segments) {
    for (let attempts = 1 + kit.below(4); attempts > 0; attempts -= 1) {
      try {
        await bucket.put(key, body);
        for (const line of linesIn(key, body)) acknowledged.add(JSON.parse(line).id);
        break;
      } catch (cause) {
        unavailable(cause);
      }
    }
  }
}

async function mergeSomeTimes(kit: Kit, bucket: Bucket, targetBytes: number, index?: MemorySink) {
  for (let passes = 1 + kit.below(3); passes > 0; passes -= 1) {
    await compact({ bucket, targetBytes, level: 1, now, onCorrupt: ignored, ...(index && { index }) }).catch(
      unavailable,
    );
  }
}

async function readSomeTimes(kit: Kit, bucket: Bucket, index: MemorySink) {
  for (let passes = 1 + kit.below(4); passes > 0; passes -= 1) {
    await catchUp({ bucket, index, from: 'mark', onCorrupt: ignored, now }).catch(unavailable);
  }
}

/** Ids, rather than two maps that nobody can read. */
function differing(reports: ReadonlyMap<string, Copy>, expected: ReadonlyMap<string, Copy>): string[] {
  const ids = new Set([...reports.keys(), ...expected.keys()]);
  const told = (copy: Copy | undefined) => copy && `${copy.receivedAt} ${copy.line}`;
  return [...ids].filter((id) => told(reports.get(id)) !== told(expected.get(id)));
}

async function run(seed: number) {
  const kit = makeKit(seed);
  const { bucket, memory, best, changes, lost, objectsWith } = watchedBucket();
  memory.objects.set(damagedKey, Buffer.from('damaged'));
  memory.objects.set(foreignKey, Buffer.from('not ours'));
  const reports = Array.from({ length: 10 + kit.below(50) }, kit.makeReport);
  const copies = reports.filter(() => kit.chance(0.3)).map(kit.makeCopy);
  const share = kit.random();
  const [first, later] = [
    [...reports, ...copies].slice(0, share * 60),
    [...reports, ...copies].slice(share * 60),
  ];
  const index = memorySink();
  await fill(kit, bucket, index, first);
  const acknowledgedFirst = new Set(first.map(({ id }) => id));
  const acknowledged = new Set(acknowledgedFirst);
  const toWrite: [string, Uint8Array][] = [];
  for (const batch of batches(kit, later)) toWrite.push(await encoded(kit, batch));

  // Most runs are of one version; in some, two versions differ in what they find large.
  const isOneGroup = kit.chance(0.5);
  const target = isOneGroup ? 2 ** 20 : 2 ** (10 + kit.below(4));
  const otherTarget = kit.chance(0.7) ? target : target * 2;
  const shares: Partial<Faults> = kit.chance(0.2)
    ? { slow: 0.5 }
    : { errors: 0.04, timeoutsAfterSuccess: 0.04, slow: 0.4, partialLists: 0.04, goneBetween: 0.01 };
  const faulty = () => faultyBucket(bucket, { random: kit.fork(), ...shares });
  const actors: Promise<unknown>[] = [
    write(kit, faulty(), toWrite, acknowledged),
    readSomeTimes(kit, faulty(), index),
  ];
  for (let mergers = 1 + kit.below(3); mergers > 0; mergers -= 1) {
    const last = kit.chance(0.6) ? 1 + kit.below(80) : Number.POSITIVE_INFINITY;
    const dying = dyingBucket(faulty(), { random: kit.fork(), last });
    const merging = mergeSomeTimes(
      kit,
      dying.bucket,
      mergers === 1 ? target : otherTarget,
      mergers === 1 ? index : undefined,
    );
    actors.push(Promise.race([merging, dying.died]));
  }
  await Promise.all(actors);
  expect(lost, 'reports that were away for a moment').toEqual([]);
  for (const id of acknowledged) expect(objectsWith(id), id).toBeGreaterThan(0);

  const clean = { bucket, targetBytes: target, level: 1, now, onCorrupt: ignored };
  await compact(clean);
  const before = { ...changes };
  const keys = [...memory.objects.keys()].sort();
  expect(await compact(clean), 'a second clean pass').toMatchObject({ hours: 0, merged: 0, written: 0 });
  expect(changes).toEqual(before);
  expect([...memory.objects.keys()].sort()).toEqual(keys);
  expect(lost, 'reports that were away for a moment').toEqual([]);
  expect(keys).toEqual(expect.arrayContaining([damagedKey, foreignKey]));
  if (isOneGroup) for (const id of best.keys()) expect(objectsWith(id), id).toBe(1);

  const anew = memorySink();
  await catchUp({ bucket, index: anew, from: 'start', onCorrupt: ignored, now });
  expect(differing(anew.reports, best), 'copies other than those that count').toEqual([]);
  // Merges hide nothing from one that follows, though they went on while it read.
  await catchUp({ bucket, index, from: 'mark', onCorrupt: ignored, now });
  expect(
    [...acknowledgedFirst].filter((id) => !index.reports.has(id)),
    'reports missed by a reader',
  ).toEqual([]);
  // What a writer put hours late, only this finds.
  await catchUp({ bucket, index, from: 'start', onCorrupt: ignored, now });
  expect(differing(index.reports, best), 'what two readers differ in').toEqual([]);
  return { written: changes.puts, deletes: changes.deletes };
}

test(`in ${runs} random runs no report is ever away, and all readers come to agree`, async () => {
  const from = Number(process.env.SEED ?? 1);
  for (let seed = from; seed < from + (process.env.SEED ? 1 : runs); seed += 1) {
    try {
      await run(seed);
    } catch (cause) {
      throw new Error(`with SEED=${seed}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
});
