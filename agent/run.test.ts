import { expect, test } from 'vitest';
import { acknowledge, respond, startStubApi } from '../test/support/stub-api.ts';
import type { PluginResult, SubmitReportInput } from './report.ts';
import { type Clock, type Log, type RunParts, run } from './run.ts';
import { connect } from './submit.ts';

type Line = { level: string; message: string; fields: Record<string, unknown> };

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

function recordingLog(): Log & { lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: Record<string, unknown>, message: string) => {
    lines.push({ level, message, fields });
  };
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

function report(id: string, results: PluginResult[] = []): SubmitReportInput {
  const host = { id: 'h', name: 'n', labels: {} };
  return { id, host, agentVersion: '1', collectedAt: '2026-01-01T00:00:00Z', intervalSeconds: 60, results };
}

function parts(more: Partial<RunParts> & Pick<RunParts, 'clock'>): RunParts & { log: { lines: Line[] } } {
  const log = recordingLog();
  let n = 0;
  return {
    intervalMs: 60_000,
    collect: async () => report(`r${n++}`),
    submit: async ({ id }) => ({ reportId: id, duplicate: false }),
    random: () => 0.5,
    ...more,
    log,
  };
}

test('reports at once, after a random phase, then steadily within ten per cent', async () => {
  const stop = new AbortController();
  const clock = jumpingClock(4, stop);
  const throws = [0.25, 0, 0.5, 0.999999];
  const loop = parts({ clock, random: () => throws.shift() ?? 0.5 });
  await run(loop, stop.signal);
  expect(clock.slept.map(Math.round)).toEqual([15_000, 54_000, 60_000, 66_000]);
  expect(loop.log.lines.map(({ message, fields }) => [message, fields.reportId])).toEqual(
    ['r0', 'r1', 'r2', 'r3', 'r4'].map((id) => ['report submitted', id]),
  );
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

test('a failed submission is logged with its cause and the next one goes on', async () => {
  const answers = [
    acknowledge,
    (_: unknown, response: Parameters<typeof respond>[0]) => respond(response, 503, 'down'),
    acknowledge,
  ];
  const server = await startStubApi((request, response) => answers.shift()?.(request, response));
  const stop = new AbortController();
  const clock = jumpingClock(2, stop);
  const { submit } = connect({ url: server.url, token: 's3cret' });
  const loop = parts({ clock, submit });
  await run(loop, stop.signal);
  expect(loop.log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'info report submitted',
    'error report not submitted',
    'info report submitted',
  ]);
  expect(loop.log.lines[1]?.fields).toMatchObject({
    code: 'UNAVAILABLE',
    cause: expect.stringContaining('503'),
  });
  expect(JSON.stringify(loop.log.lines)).not.toContain('s3cret');
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
  expect(loop.log.lines).toHaveLength(2);
});

test('a stop in the middle of a report ends the loop without a complaint', async () => {
  const stop = new AbortController();
  const loop = parts({
    clock: jumpingClock(9, stop),
    submit: async (_, signal) => {
      stop.abort(new Error('told to stop'));
      signal.throwIfAborted();
      throw new Error('unreachable');
    },
  });
  await run(loop, stop.signal);
  expect(loop.log.lines).toEqual([]);
});
