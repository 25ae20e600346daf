import { expect, onTestFinished, test } from 'vitest';
import type { AgentStatus } from '../status/agent-status.ts';
import { metricsText } from './metrics.ts';
import { serveMetrics } from './metrics-server.ts';

const plugin = { error: null, askedAt: null, lastOkAt: null, nextAt: null };
const status: AgentStatus = {
  format: 1,
  writtenAt: '2026-05-01T10:00:00.000Z',
  agent: {
    ...{ version: '1.2.3', pid: 1, processStart: null, startedAt: '', stoppedAt: null },
    ...{ config: null, url: null, hostId: 'h', intervalSeconds: 60 },
  },
  lastReport: { id: 'r', collectedAt: '2026-05-01T10:00:00.500Z', acknowledgedAt: null },
  nextReportAt: null,
  delivery: {
    ...{ lastAcknowledgedAt: null, acknowledgedReports: 5, refusedReports: 1, droppedReports: 2 },
    ...{ failures: 3, failuresInARow: 0, error: null, retryAt: null },
  },
  spool: {
    ...{ reports: 4, bytes: 4_096, oldestAt: null, deadLetters: 1, damaged: 0 },
    ...{ maxBytes: 1_000_000, memoryReports: 0 },
  },
  plugins: [
    { ...plugin, name: 'cpu', status: 'OK', durationMs: 1.5, failures: 0, failuresInARow: 0 },
    { ...plugin, name: 'a"b\\c', status: 'SKIPPED', durationMs: null, failures: 7, failuresInARow: 2 },
  ],
};
const figures = { residentBytes: 50_000_000, cpuSeconds: 1.25, startedAtSeconds: 1_777_000_000 };

test('every line is one of the format, and what is unknown is left out', () => {
  const text = metricsText(status, figures);
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(
      /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="(?:[^"\\\n]|\\.)*"(?:,\w+="[^"]*")*\})? [\d.e+-]+)$/,
    );
  }
  const odd = 'a\\"b\\\\c';
  const ours = [
    'info{version="1.2.3",host_id="h"} 1',
    'reports_total{outcome="acknowledged"} 5',
    'reports_total{outcome="refused"} 1',
    'reports_total{outcome="dropped"} 2',
    'delivery_failures_total 3',
    'last_collected_timestamp_seconds 1777629600.5',
    'interval_seconds 60',
    'spool_reports{where="disk"} 4',
    'spool_reports{where="memory"} 0',
    'spool_bytes 4096',
    'spool_max_bytes 1000000',
    'dead_letters 1',
    'plugin_duration_seconds{plugin="cpu"} 0.0015',
    'plugin_failures_total{plugin="cpu"} 0',
    `plugin_failures_total{plugin="${odd}"} 7`,
    'plugin_up{plugin="cpu"} 1',
    `plugin_up{plugin="${odd}"} 0`,
  ];
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
    ...ours.map((line) => `os_inspector_agent_${line}`),
    'process_resident_memory_bytes 50000000',
    'process_cpu_seconds_total 1.25',
    'process_start_time_seconds 1777000000',
  ]);
  const named = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(named).size).toBe(named.length);
});

test('they are served at one path, to readers only', async () => {
  let fails = false;
  const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, async () => {
    if (fails) throw new Error('no figures');
    return 'a 1\n';
  });
  onTestFinished(server.close);
  const answer = await fetch(server.url);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toBe('a 1\n');
  expect((await fetch(new URL('/', server.url))).status).toBe(404);
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);
  fails = true;
  expect((await fetch(server.url)).status).toBe(500);
  const { port } = new URL(server.url);
  const again = serveMetrics({ host: '127.0.0.1', port: Number(port) }, async () => '');
  await expect(again).rejects.toThrow('choose another port');
});
