/**
 * ndjson: rows as JSON, one object a line.
 *
 * A report is as it lies in the bucket, so that whatever loads one loads the other. A host tells under `facts` and
 * `readings` what each plugin told last.
 */
import { reportFormat, type StoredReport } from '../log/stored-report.ts';
import { hostStatus } from '../schema/host-status.ts';
import type { Encoding } from './encoding.ts';
import type { HostOfExport, ReportOfExport } from './export-rows.ts';

const contentType = 'application/x-ndjson; charset=utf-8';

export const reportLines: Encoding<ReportOfExport> = {
  contentType,
  head: '',
  line: (row) => `${JSON.stringify(toStoredReport(row))}\n`,
};

/** @param now milliseconds since 1970: hosts as of now have their status then */
export function hostLines(now: number): Encoding<HostOfExport> {
  return { contentType, head: '', line: (row) => `${JSON.stringify(toHostLine(row, now))}\n` };
}

function toStoredReport({ hostFacts, ...row }: ReportOfExport): StoredReport {
  const { name, labels, agentVersion, intervalSeconds, clonedFrom } = hostFacts;
  return {
    format: reportFormat,
    id: row.id,
    host: { id: row.hostId, name, labels, ...(clonedFrom === null ? {} : { clonedFrom }) },
    agentVersion,
    intervalSeconds,
    collectedAt: new Date(row.collectedAt).toISOString(),
    receivedAt: new Date(row.receivedAt).toISOString(),
    results: row.results.map(({ plugin, version, status, durationMs, facts, readings, error }) => ({
      ...{ plugin, version, status, durationMs, facts, readings, error },
    })),
    ...(row.droppedReports === null ? {} : { droppedReports: row.droppedReports }),
  };
}

function toHostLine({ host, results }: HostOfExport, now: number) {
  const told = (what: 'facts' | 'readings') =>
    Object.fromEntries(
      results.flatMap((result) => (result[what] === null ? [] : [[result.plugin, result[what]]])),
    );
  return { ...hostFields(host, now), facts: told('facts'), readings: told('readings') };
}

/** What a host is beside what its plugins told. */
export function hostFields(host: HostOfExport['host'], now: number) {
  return {
    id: host.id,
    name: host.name,
    labels: host.labels,
    status: hostStatus(host, host.asOf ?? now),
    firstSeenAt: new Date(host.firstSeenAt).toISOString(),
    lastSeenAt: new Date(host.lastSeenAt).toISOString(),
    agentVersion: host.agentVersion,
    intervalSeconds: host.intervalSeconds,
    clonedFrom: host.clonedFrom,
  };
}
