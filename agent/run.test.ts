import { expect, test } from 'vitest';
import { seededRandom } from '../test/support/noise.ts';
import { type Line, recordingLog } from '../test/support/recording-log.ts';
import { createAlarm } from './delivery/alarm.ts';
import type { PluginResult, SubmitReportInput } from './report.ts';
import { type RunParts, run } from './run.ts';
import type { Clock } from './schedule/clock.ts';
import { type Grid, gridOf } from './schedule/grid.ts';

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
    grid: { intervalMs: minute, phaseMs: 20_000 },
    collect: async () => report(`r${n++}`),
    outbox: { add: async ({ id }) => void added.push(id) },
    alarm: createAlarm(more.clock),
    renew: async () => null,
    ...more,
    log,
    added,
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
  expect(loop.added).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
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

test('a report that cannot be collected is logged with its cause and the next one goes on', async () => {
  const stop = new AbortController();
  let n = 0;
  const loop = parts({
    clock: jumpingClock(80_000, stop),
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
  const loop = parts({ clock: jumpingClock(1, stop), collect: async () => report('r', results) });
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
    clock: jumpingClock(9 * minute, stop),
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

test('new settings are taken over between two reports, which are soon and on the new grid from then on', async () => {
  const stop = new AbortController();
  const clock = jumpingClock(60 * minute, stop);
  const alarm = createAlarm(clock);
  const renewals: number[] = [];
  let isCollecting = false;
  let grid: Grid | null = null;
  const renew = async () => {
    expect(isCollecting).toBe(false);
    const taken = grid;
    grid = null;
    if (taken) renewals.push(clock.now());
    return taken;
  };
  const times: number[] = [];
  const collect = async () => {
    isCollecting = true;
    times.push(clock.now());
    if (times.length === 2) {
      grid = { intervalMs: 20 * minute, phaseMs: 10_000 };
      alarm.ring();
      await Promise.resolve();
    }
    isCollecting = false;
    return report('r');
  };
  await run(parts({ clock, alarm, renew, collect }), stop.signal);
  // This clock jumps 30 seconds before it hears the alarm.
  expect(renewals).toEqual([50_000]);
  expect(times.slice(0, 5)).toEqual([0, 20_000, 70_000, 10_000 + 20 * minute, 10_000 + 40 * minute]);
});
