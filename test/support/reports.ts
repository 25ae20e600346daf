/** reports: made-up reports for tests, each field with a default that tests override. */
import { v7 as uuidV7 } from 'uuid';
import { reportFormat, type StoredReport, type StoredResult } from '../../api/log/stored-report.ts';

export const hostId = (number: number) => `0198f3a0-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** A successful result of one plugin. */
export function result(plugin: string, facts: unknown, readings: unknown = null): StoredResult {
  return { plugin, version: 1, status: 'OK', durationMs: 1.5, facts, readings, error: null };
}

export function storedReport(overrides: Partial<StoredReport> = {}): StoredReport {
  return {
    format: reportFormat,
    id: uuidV7(),
    host: { id: hostId(1), name: 'web-1', labels: {} },
    agentVersion: '0.1.0',
    intervalSeconds: 60,
    collectedAt: '2026-05-01T10:00:00.000Z',
    receivedAt: '2026-05-01T10:00:01.000Z',
    results: [],
    ...overrides,
  };
}
