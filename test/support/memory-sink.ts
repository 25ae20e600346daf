/** memory-sink: the part of an index that catch-up fills, as maps, with the rule for copies. */

import type { SegmentSink } from '../../api/log/catch-up.ts';
import { type Copy, compareCopies } from '../../api/log/copies.ts';

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
      for (const segment of segments.filter(({ key }) => !applied.has(key))) {
        applied.add(segment.key);
        for (const report of segment.reports) {
          const copy = { receivedAt: Date.parse(report.receivedAt), line: JSON.stringify(report) };
          const known = reports.get(report.id);
          if (!known || compareCopies(copy, known) < 0) reports.set(report.id, copy);
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
