import { expect, test } from 'vitest';
import { type Line, recordingLog } from '../test/support/recording-log.ts';
import type { PluginResult, SubmitReportInput } from './report.ts';
import { type Clock, type RunParts, run } from './run.ts';

/** A clock that jumps to where a sleeper wants to wake, and stops the loop after so many naps. */
function jumpingClock(
  naps: number,
  stop: AbortController,
): Clock & { slept: number[]; advance(ms: number): void } {
  let now = 1_000;
  const slept: number[] = [];
  return {
    slept,
    advance: (ms) => {
      now += ms;
    },
    now: () => now,
    async sleep(ms, signal) {
      if (slept.length === naps) stop.abort(new Error('enough'));
      signal.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

function report(id: string, results: PluginResult[] = []): SubmitReportInput {
  const host = { id: 'h', name: 'n', labels: {} };
  const rest = { collectedAt: '2026-01-01T00:00:00Z', intervalSeconds: 60, droppedReports: 0 };
  return { id, host, agentVersion: '1', ...rest, results };
}

type TestParts = RunParts & { log: { lines: Line[] }; added: string[] };

function parts(more: Partial<RunParts> & Pick<RunParts, 'clock'>): TestParts {
  const log = recordingLog();
  const added: string[] = [];
  let n = 0;
  return {
    intervalMs: 60_000,
    collect: async () => report(`r${n++}`),
    outbox: { add: async ({ id }) => void added.push(id) },
    random: () => 0.5,
    ...more,
    log,
    added,
  };
}

test('reports at once, after a random phase, then steadily within ten per cent', async () => {
  const stop = new AbortController();
  const clock = jumpingClock(4, stop);
  const throws = [0.25, 0, 0.5, 0.999999];
  const loop = parts({ clock, random: () => throws.shift() ?? 0.5 });
  await run(loop, stop.signal);
  expect(clock.slept.map(Math.round)).toEqual([15_000, 54_000, 60_000, 66_000]);
  expect(loop.added).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
});

test('a slow report does not shift the next, and missed ones are not made up for', async () => {
  const stop = new AbortController();
  const clock = jumpingClock(4, stop);
  const takes = [0, 10_000, 200_000, 0, 0];
  const loop = parts({
    clock,
    collect: async () => {
      clock.advance(takes.shift() ?? 0);
      return report('r');
    },
  });
  await run(loop, stop.signal);
  expect(clock.slept.map(Math.round)).toEqual([30_000, 50_000, 0, 60_000]);
});

test('a report that cannot be collected is logged with its cause and the next one goes on', async () => {
  const stop = new AbortController();
  let n = 0;
  const loop = parts({
    clock: jumpingClock(2, stop),
    collect: async () => {
      n += 1;
      if (n === 2) throw new Error('no host name');
      return report(`r${n}`);
    },
  });
  await run(loop, stop.signal);
  expect(loop.added).toEqual(['r1', 'r3']);
  expect(loop.log.lines).toEqual([
    { level: 'error', message: 'report not collected', fields: { cause: 'no host name' } },
  ]);
});

test('a failed plugin is logged, a skipped one is not', async () => {
  const stop = new AbortController();
  const result = { plugin: 'a', version: 1, durationMs: 1, facts: null, readings: null };
  const results: PluginResult[] = [
    { ...result, status: 'ERROR', error: 'no sensor' },
    { ...result, status: 'SKIPPED', error: null },
  ];
  const loop = parts({ clock: jumpingClock(0, stop), collect: async () => report('r', results) });
  await run(loop, stop.signal);
  expect(loop.log.lines[0]).toMatchObject({
    level: 'warn',
    message: 'plugin failed',
    fields: { plugin: 'a', cause: 'no sensor' },
  });
  expect(loop.log.lines).toHaveLength(1);
});

test('a stop in the middle of a report ends the loop without a complaint', async () => {
  const stop = new AbortController();
  const loop = parts({
    clock: jumpingClock(9, stop),
    collect: async (signal) => {
      stop.abort(new Error('told to stop'));
      signal.throwIfAborted();
      throw new Error('unreachable');
    },
  });
  await run(loop, stop.signal);
  expect(loop.log.lines).toEqual([]);
  expect(loop.added).toEqual([]);
});
