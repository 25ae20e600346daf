/** progress-bar: shows how far a rebuild is: a bar on a terminal, a line now and then in a log. */
import { SingleBar } from 'cli-progress';
import type { CatchUpProgress } from './log/catch-up.ts';

/** Milliseconds between lines where the output is no terminal. */
const lineEveryMs = 5_000;

export type ProgressBar = { update(progress: CatchUpProgress): void; stop(): void };

export function makeProgressBar(stream: NodeJS.WritableStream): ProgressBar {
  const startedAt = performance.now();
  const bar = new SingleBar({
    stream,
    format:
      '{bar} {percentage}%  {segments}/{allSegments} segments  {reports} reports  {rate} reports/s  {left} left',
    noTTYOutput: true,
    notTTYSchedule: lineEveryMs,
    hideCursor: true,
    // The time left goes by bytes, not by how fast the last few segments were.
    etaAsynchronousUpdate: false,
  });
  let started = false;
  return {
    update({ segments, reports, bytes, of }) {
      const seconds = (performance.now() - startedAt) / 1000;
      const left = bytes === 0 ? null : (seconds / bytes) * (of.bytes - bytes);
      const payload = {
        segments,
        allSegments: of.segments,
        reports,
        rate: Math.round(reports / seconds),
        left: left === null ? '?' : formatSeconds(left),
      };
      if (started) bar.update(bytes, payload);
      else bar.start(of.bytes, bytes, payload);
      started = true;
    },
    stop: () => bar.stop(),
  };
}

function formatSeconds(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)}s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes}min` : `${Math.ceil(minutes / 60)}h`;
}
