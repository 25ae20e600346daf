import { expect, test } from 'vitest';
import { acknowledge, respond, startStubApi } from '../test/support/stub-api.ts';
import { seededRandom } from '../test/support/noise.ts';
import type { PluginResult, SubmitReportInput } from './report.ts';
import { type Log, type RunParts, run } from './run.ts';
import type { Clock } from './schedule/clock.ts';
import { gridOf } from './schedule/grid.ts';
import { connect } from './submit.ts';

type Line = { level: string; message: string; fields: Record<string, unknown> };

type TestClock = Clock & { advance(ms: number): void };

/** A clock that jumps to where a sleeper wants to wake, and stops the loop after so long. */
function jumpingClock(untilMs: number, stop: AbortController): TestClock {
  let now = 0;
  return {
    advance: (ms) => {
      now += ms;
    },
    now: () => now,
    async sleep(ms, signal) {
      if (now + ms > untilMs) stop.abort(new Error('enough'));
      signal.throwIfAborted();
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
    grid: { intervalMs: minute, phaseMs: 20_000 },
    collect: async () => report(`r${n++}`),
    submit: async ({ id }) => ({ reportId: id, duplicate: false }),
    ...more,
    log,
  };
}

const minute = 60_000;

/** When reports began, on a clock until it stops the loop, with collections that take as `takes` moves it. */
async function reportTimes(
  clock: TestClock,
  stop: AbortController,
  more: Partial<RunParts> = {},
  takes: (clock: TestClock) => void = () => {},
) {
  const times: number[] = [];
  const collect = async () => {
    times.push(clock.now());
    takes(clock);
    return report('r');
  };
  await run(parts({ clock, collect, ...more }), stop.signal);
  return times;
}

function timesUntil(untilMs: number, takes: (clock: TestClock) => void) {
  const stop = new AbortController();
  return reportTimes(jumpingClock(untilMs, stop), stop, {}, takes);
}

test('reports at once, then at every tick of its grid', async () => {
  const stop = new AbortController();
  const loop = parts({ clock: jumpingClock(4 * minute, stop) });
  await run(loop, stop.signal);
  expect(loop.log.lines.map(({ message, fields }) => [message, fields.reportId])).toEqual(
    ['r0', 'r1', 'r2', 'r3', 'r4'].map((id) => ['report submitted', id]),
  );
  const times = await timesUntil(4 * minute, () => {});
  expect(times).toEqual([0, 20_000, 80_000, 140_000, 200_000]);
});

test('a slow report does not shift the next, and missed ones are not made up for', async () => {
  const slow = [0, 10_000, 200_000];
  const times = await timesUntil(7 * minute, (clock) => clock.advance(slow.shift() ?? 0));
  expect(times).toEqual([0, 20_000, 80_000, 320_000, 380_000]);
});

test('over thousands of reports of any length it does not drift', async () => {
  const random = seededRandom(7);
  const times = await timesUntil(5_000 * minute, (clock) => clock.advance(random() * 55_000));
  expect(times).toHaveLength(5_001);
  for (const [i, time] of times.slice(1).entries()) expect(time).toBeCloseTo(20_000 + i * minute, 3);
});

test.each([
  ['a minute', minute],
  ['an hour', 60 * minute],
  ['a day', 24 * 60 * minute],
])(
  'a machine that slept for days with an interval of %s reports once within 90 s, then as ever',
  async (_, intervalMs) => {
    const grid = { intervalMs, phaseMs: intervalMs / 3 };
    const stop = new AbortController();
    const clock = jumpingClock(10 * 24 * 60 * minute, stop);
    const sleep = clock.sleep;
    let wokeAt: number | null = null;
    // Its timer stands still meanwhile, and goes on after.
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      if (wokeAt !== null || clock.now() < intervalMs) return;
      clock.advance(5.4321 * 24 * 60 * minute);
      wokeAt = clock.now();
    };
    const times = await reportTimes(clock, stop, { grid });
    const after = times.filter((time) => time >= Number(wokeAt));
    expect(Number(after[0]) - Number(wokeAt)).toBeLessThanOrEqual(90_000);
    for (const time of after.slice(1)) expect((time - grid.phaseMs) % intervalMs).toBeCloseTo(0, 3);
    expect(times.filter((time) => time < Number(wokeAt)).length).toBeLessThanOrEqual(3);
  },
);

test('hosts that wake together do not report together', async () => {
  const seconds = new Set<number>();
  for (let host = 0; host < 200; host += 1) {
    const grid = gridOf(`host ${host}`, 60 * minute, { now: 0, wallNow: 0 });
    const stop = new AbortController();
    const clock = jumpingClock(30 * 60 * minute, stop);
    let hasSlept = false;
    const sleep = clock.sleep;
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      if (hasSlept) return;
      hasSlept = true;
      clock.advance(20 * 60 * minute);
    };
    const times = await reportTimes(clock, stop, { grid });
    seconds.add(Math.floor(Number(times[1]) / 1_000));
  }
  expect(seconds.size).toBeGreaterThan(40);
});

test('a failed submission is logged with its cause and the next one goes on', async () => {
  const answers = [
    acknowledge,
    (_: unknown, response: Parameters<typeof respond>[0]) => respond(response, 503, 'down'),
    acknowledge,
  ];
  const server = await startStubApi((request, response) => answers.shift()?.(request, response));
  const stop = new AbortController();
  const clock = jumpingClock(80_000, stop);
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
  const loop = parts({ clock: jumpingClock(1, stop), collect: async () => report('r', results) });
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
    clock: jumpingClock(9 * minute, stop),
    submit: async (_, signal) => {
      stop.abort(new Error('told to stop'));
      signal.throwIfAborted();
      throw new Error('unreachable');
    },
  });
  await run(loop, stop.signal);
  expect(loop.log.lines).toEqual([]);
});
