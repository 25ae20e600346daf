import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agentReport, agentResult } from '../../test/support/agent-reports.ts';
import { eventually } from '../../test/support/eventually.ts';
import { start as startProcess } from '../../test/support/process.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { PluginResult } from '../report.ts';
import { type AgentStatus, isRunning, processStart, readStatus, writeStatus } from './agent-status.ts';
import { describeStatus, problemsOf } from './describe-status.ts';
import { createMonitor } from './monitor.ts';
import { fromNow, roughBytes } from './rough.ts';

const start = Date.UTC(2026, 4, 1, 10);
const time = (afterMs: number) => new Date(start + afterMs).toISOString();

/** A daemon that began at `start`, by a clock that the test sets. */
async function daemon() {
  const clock = { now: start };
  const stateFolder = await temporaryFolder();
  const about = { version: '1.2.3', pid: process.pid, processStart: await processStart(process.pid) };
  const monitor = createMonitor({
    settings: () => ({
      about: { ...about, config: null, url: 'http://api/graphql', hostId: 'h', intervalSeconds: 60 },
      maxSpoolBytes: 2 ** 26,
    }),
    stateFolder,
    spool: { counts: () => ({ droppedReports: 3, memoryReports: 0 }) },
    reportAt: (afterMs) => start + Math.ceil((clock.now - start + afterMs + 1) / 60_000) * 60_000,
    dueInMs: (plugin) => (plugin === 'hardware' ? 3_600_000 : 0),
    now: () => clock.now,
    onChange: () => {},
  });
  return { clock, stateFolder, monitor };
}

const failing: PluginResult = {
  ...{ plugin: 'rack', version: 1, durationMs: 2, facts: null, readings: null },
  ...{ status: 'ERROR', error: 'no rack' },
};

test('what was collected and what became of it', async () => {
  const { clock, monitor } = await daemon();
  const results = [agentResult('cpu', {}), agentResult('hardware', {}), failing];
  const first = agentReport(start, results);
  monitor.collected(first);
  expect(await monitor.status()).toMatchObject({
    lastReport: { id: first.id, acknowledgedAt: null },
    nextReportAt: time(60_000),
    delivery: { acknowledgedReports: 0, droppedReports: 3, error: null },
    plugins: [
      { name: 'cpu', status: 'OK', durationMs: 1.5, lastOkAt: time(0), failures: 0, nextAt: time(60_000) },
      { name: 'hardware', nextAt: time(3_660_000) },
      { name: 'rack', status: 'ERROR', lastOkAt: null, failures: 1, failuresInARow: 1 },
    ],
  });
  clock.now += 100;
  monitor.failed('no answer', 2_000);
  monitor.failed('no answer', 4_000);
  expect((await monitor.status()).delivery).toMatchObject({
    ...{ failures: 2, failuresInARow: 2, error: 'no answer', retryAt: time(4_100) },
  });
  monitor.acknowledged(first);
  expect(await monitor.status()).toMatchObject({
    lastReport: { acknowledgedAt: time(100) },
    delivery: { acknowledgedReports: 1, failures: 2, failuresInARow: 0, error: null, retryAt: null },
  });
});

test('a plugin that waits keeps what it took, and its row of failures until it succeeds', async () => {
  const { monitor } = await daemon();
  const waiting: PluginResult = { ...failing, status: 'SKIPPED', durationMs: null, error: 'failed once' };
  for (const result of [failing, waiting, failing, waiting])
    monitor.collected(agentReport(start + 60_000, [result]));
  expect((await monitor.status()).plugins).toMatchObject([
    { status: 'SKIPPED', durationMs: 2, failures: 2, failuresInARow: 2, error: 'failed once' },
  ]);
  monitor.collected(agentReport(start + 120_000, [agentResult('rack', {})]));
  expect((await monitor.status()).plugins).toMatchObject([
    { status: 'OK', failures: 2, failuresInARow: 0, lastOkAt: time(120_000) },
  ]);
});

test('the file is whole or not there, and says whose it is', async () => {
  const { stateFolder, monitor } = await daemon();
  expect(await readStatus(stateFolder)).toBeNull();
  await writeStatus(stateFolder, await monitor.status());
  expect(readdirSync(stateFolder)).toEqual(['status.json']);
  const status = (await readStatus(stateFolder)) as AgentStatus;
  expect(status).toEqual(await monitor.status());
  expect(await isRunning(status)).toBe(true);
  const { pid } = spawnSync('true');
  expect(await isRunning({ ...status, agent: { ...status.agent, pid } })).toBe(false);
  monitor.stopped();
  expect(await isRunning(await monitor.status())).toBe(false);
});

test.runIf(process.platform === 'linux')('a pid that is used again is another process', async () => {
  const { monitor } = await daemon();
  const status = await monitor.status();
  expect(await isRunning({ ...status, agent: { ...status.agent, processStart: '1' } })).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'one that has ended runs no more, also where nobody takes note',
  async () => {
    // It ends once the shell has become another program, which never asks how a child ended.
    const child = '(until grep -q sleep /proc/$$/comm; do :; done) &';
    const parent = startProcess('sh', ['-c', `${child} echo "child $!"; exec sleep 60`]);
    const pid = Number((await parent.waitFor(/child (\d+)/))[1]);
    const { monitor } = await daemon();
    const status = await monitor.status();
    const ended = { ...status, agent: { ...status.agent, pid, processStart: await processStart(pid) } };
    await eventually('it is a zombie', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
    expect(await isRunning(ended)).toBe(false);
  },
);

test('what is not well is told, with what to do', async () => {
  const { stateFolder, monitor } = await daemon();
  monitor.collected(agentReport(start, [agentResult('cpu', {})]));
  const well = { isRunning: true, stateFolder, status: await monitor.status(), spool: null };
  expect(problemsOf(well, start + 1_000)).toEqual([]);
  expect(describeStatus(well, start + 1_000)).toContain('all is well');
  expect(problemsOf(well, start + 3_600_000)).toEqual([
    expect.stringMatching(/^no report is told of, 59 min after .* cannot write /),
  ]);
  expect(problemsOf({ ...well, isRunning: false }, start)).toEqual([
    expect.stringContaining('ended without a word'),
  ]);
  expect(problemsOf({ ...well, status: null }, start)).toEqual([expect.stringContaining('--state')]);
  monitor.failed('no answer', 60_000);
  monitor.collected(agentReport(start, [failing]));
  const text = describeStatus({ ...well, status: await monitor.status() }, start + 1_000);
  expect(text).toContain('\nnot well:\n  reports are not delivered: no answer; ');
  expect(text).toContain('plugin rack: ERROR: no rack');
  expect(text).toContain('tried again in 59 s');
});

test('lengths and sizes for people', () => {
  expect(fromNow(time(0), start + 90_000)).toBe('1 min ago');
  expect(fromNow(time(7_200_000), start)).toBe('in 2 h');
  expect([0, 1_023, 1_536, 64 * 2 ** 20].map(roughBytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '64 MiB']);
});
