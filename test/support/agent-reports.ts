/** agent-reports: made-up reports as an agent collects them. */
import { v7 as uuidv7 } from 'uuid';
import type { PluginResult, SubmitReportInput } from '../../agent/report.ts';
import { hostId } from './reports.ts';

/** @param msecs when it was collected, milliseconds since 1970 */
export function agentReport(msecs: number, results: PluginResult[] = []): SubmitReportInput {
  return {
    id: uuidv7({ msecs }),
    host: { id: hostId(1), name: 'web-1', labels: {} },
    agentVersion: '1.2.3',
    collectedAt: new Date(msecs).toISOString(),
    intervalSeconds: 60,
    droppedReports: 0,
    results,
  };
}

/** A successful result of one plugin. */
export function agentResult(plugin: string, facts: Record<string, unknown>): PluginResult {
  return { plugin, version: 1, status: 'OK', durationMs: 1.5, facts, readings: { load1: 0.5 }, error: null };
}
