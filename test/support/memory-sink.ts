/** memory-sink: the part of an index that catch-up fills, as maps, with the rule for copies. */
import type { SegmentSink } from '../../api/log/catch-up.ts';
import { type Copy, compareCopies } from '../../api/log/copies.ts';
import { decodeLine, type Segment, type StoredSegment } from '../../api/log/segment.ts';

export type MemorySink = SegmentSink & {
  /** By id: the copy that counts. */
  reports: Map<string, Copy>;
  applied: Set<string>;
  /** How many segments each call of `apply` was handed. */
  bulks: number[];
};

export function memorySink(): MemorySink {
  const reports = new Map<string, Copy>();
  const applied = new Set<string>();
  const bulks: number[] = [];
  let mark: string | null = null;
  return {
    reports,
    applied,
    bulks,
    async apply(segments) {
      bulks.push(segments.length);
      // All or nothing: what cannot be read is told before anything is taken.
      const taken = segments
        .filter(({ key }) => !applied.has(key))
        .map((segment) => ({ key: segment.key, copies: copiesIn(segment) }));
      for (const { key, copies } of taken) {
        applied.add(key);
        for (const { id, ...copy } of copies) {
          const known = reports.get(id);
          if (!known || compareCopies(copy, known) < 0) reports.set(id, copy);
        }
      }
    },
    appliedOf: async (keys) => new Set(keys.filter((key) => applied.has(key))),
    mark: async () => mark,
    async setMark(next) {
      mark = next;
    },
    async replaced(parts, sources) {
      if (!sources.every((key) => applied.has(key))) return;
      for (const key of sources) applied.delete(key);
      for (const key of parts) applied.add(key);
    },
  };
}

function copiesIn(segment: Segment | StoredSegment): (Copy & { id: string })[] {
  const reports =
    'lines' in segment
      ? segment.lines.map((line, index) => ({ line, report: decodeLine(segment.key, line, index + 1) }))
      : segment.reports.map((report) => ({ line: JSON.stringify(report), report }));
  return reports.map(({ line, report: { id, receivedAt } }) => ({
    id,
    receivedAt: Date.parse(receivedAt),
    line,
  }));
}
