/**
 * histories: made-up histories of some hosts, with everything that reports can do to an index: plugins that come and
 * go and fail, clocks ahead, reports of one instant, copies of one report, hosts that change their names.
 */
import { v7 as uuidV7 } from 'uuid';
import type { StoredReport, StoredResult } from '../../api/log/stored-report.ts';
import type { Random } from './noise.ts';
import { hostId, result, storedReport } from './reports.ts';

const start = Date.parse('2026-05-01T00:00:00Z');

export function madeUpHistory(random: Random, count: number): StoredReport[] {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const reports: StoredReport[] = [];
  for (let number = 0; number < count; number += 1) {
    const host = Math.floor(random() * 4);
    // Few instants, so that some are the same.
    const at = start + Math.floor(random() * count) * 1000;
    const collectedAt = new Date(at + pick([0, 0, 0, 0, 0, 3_600_000])).toISOString();
    const receivedAt = new Date(at + pick([20, 20, 900_000])).toISOString();
    const results = (['os', 'cpu', 'rack'] as const)
      .filter(() => random() < 0.9)
      .map((plugin) => resultOf(plugin, random, pick));
    reports.push(
      storedReport({
        id: uuidV7({ random: Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256)), msecs: at }),
        host: {
          id: hostId(host),
          name: `web-${host}${pick(['', '', '-new'])}`,
          labels: { rack: pick(['a', 'b']) },
        },
        agentVersion: pick(['0.1.0', '0.2.0', null]),
        collectedAt,
        receivedAt,
        results,
        // Reports of older agents do not say it.
        ...(host < 3 ? { droppedReports: number % 3 } : {}),
      }),
    );
  }
  const copies = reports
    .filter(() => random() < 0.1)
    .map((report): StoredReport => {
      const receivedAt = new Date(Date.parse(report.receivedAt) + pick([-5000, 5000, 60_000])).toISOString();
      const other = random() < 0.5 ? { results: [resultOf('os', random, pick)] } : {};
      return { ...report, receivedAt, ...other };
    });
  return [...reports, ...copies];
}

function resultOf(
  plugin: 'os' | 'cpu' | 'rack',
  random: Random,
  pick: <T>(values: readonly T[]) => T,
): StoredResult {
  const facts = {
    os: { platform: 'linux', kernel: pick(['6.1.0', '6.1.9']), distribution: 'Debian' },
    cpu: { threads: pick([2, 4]), model: 'EPYC' },
    rack: { row: pick(['a', 'b', 'c']), list: [1, { deep: true }] },
  }[plugin];
  const readings = { load1: Math.round(random() * 100) / 100, list: pick([[], ['x'], [1, null]]) };
  const ok = result(plugin, facts, random() < 0.8 ? readings : null);
  return pick([
    ok,
    ok,
    ok,
    ok,
    { ...ok, status: 'ERROR', error: 'no such file', facts: null, readings: null },
    { ...ok, status: 'TIMEOUT', readings: null },
    { ...ok, facts: null },
  ]);
}
