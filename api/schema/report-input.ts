/**
 * report-input: a report as an agent sends it, checked and made into one that can be stored.
 */
import { version } from 'uuid';
import { isTooDeep, maxJsonDepth } from '../json-depth.ts';
import type { Shortened } from '../known-facts.ts';
import { type PluginStatus, reportFormat, type StoredReport } from '../log/stored-report.ts';
import { type InputPath, inputError } from './input-error.ts';

export type HostInput = {
  id: string;
  name: string;
  labels?: Record<string, string> | null;
  clonedFrom?: string | null;
};
export type PluginResultInput = {
  plugin: string;
  version?: number | null;
  status: PluginStatus;
  durationMs?: number | null;
  facts?: NonNullable<unknown> | null;
  factsHash?: string | null;
  readings?: NonNullable<unknown> | null;
  error?: string | null;
};
export type SubmitReportInput = {
  id?: string | null;
  host: HostInput;
  agentVersion?: string | null;
  intervalSeconds?: number | null;
  collectedAt: Date;
  droppedReports?: number | null;
  results: PluginResultInput[];
};

const maxNameLength = 255;
const maxResults = 1000;
/** A year: who reports more rarely than that does not report. */
const maxIntervalSeconds = 366 * 24 * 60 * 60;
/** SHA-256 in base64url. */
const hashPattern = /^[A-Za-z0-9_-]{43}$/;

/**
 * @param at the path of the input, for errors
 * @throws GraphQLError BAD_USER_INPUT with the path of what is wrong in the envelope
 */
export function toShortened(
  input: SubmitReportInput,
  makeId: () => string,
  now: number,
  at: InputPath,
): Shortened {
  const { host, collectedAt, results, intervalSeconds = null, droppedReports } = input;
  checkName(host.name, [...at, 'host', 'name']);
  // Those follow from what a report of the Python system says: whoever knew it could take its id before it.
  if (typeof input.id === 'string' && version(input.id) === 5)
    throw inputError([...at, 'id'], 'must not be of version 5: take one of version 7');
  const year = collectedAt.getUTCFullYear();
  if (year < 1970 || year > 9999)
    throw inputError([...at, 'collectedAt'], 'must be in the years 1970 to 9999');
  if (intervalSeconds !== null && (intervalSeconds <= 0 || intervalSeconds > maxIntervalSeconds)) {
    throw inputError([...at, 'intervalSeconds'], `must be more than 0, and at most ${maxIntervalSeconds}`);
  }
  if (results.length > maxResults) {
    throw inputError([...at, 'results'], `must be at most ${maxResults}, but are ${results.length}`);
  }
  if ((droppedReports ?? 0) < 0) throw inputError([...at, 'droppedReports'], 'must not be negative');
  const seen = new Set<string>();
  const hashes = new Map<number, string>();
  for (const [position, result] of results.entries()) {
    const { plugin, durationMs, factsHash } = result;
    const path = [...at, 'results', position];
    checkName(plugin, [...path, 'plugin']);
    for (const name of ['facts', 'readings'] as const) {
      if (isTooDeep(result[name]))
        throw inputError([...path, name], `must be nested at most ${maxJsonDepth} deep`);
    }
    if (seen.has(plugin)) throw inputError([...path, 'plugin'], `${JSON.stringify(plugin)} is there twice`);
    if ((durationMs ?? 0) < 0) throw inputError([...path, 'durationMs'], 'must not be negative');
    seen.add(plugin);
    if (factsHash === null || factsHash === undefined) continue;
    if (result.facts !== null && result.facts !== undefined)
      throw inputError([...path, 'factsHash'], 'must not be there beside facts');
    if (!hashPattern.test(factsHash)) {
      throw inputError([...path, 'factsHash'], 'must be 43 characters, SHA-256 in base64url');
    }
    hashes.set(position, factsHash);
  }
  const report: StoredReport = {
    format: reportFormat,
    id: input.id ?? makeId(),
    host: {
      ...{ id: host.id, name: host.name, labels: host.labels ?? {} },
      ...(typeof host.clonedFrom === 'string' ? { clonedFrom: host.clonedFrom } : {}),
    },
    agentVersion: input.agentVersion?.toWellFormed() ?? null,
    intervalSeconds,
    collectedAt: collectedAt.toISOString(),
    receivedAt: new Date(now).toISOString(),
    results: results.map((result) => ({
      plugin: result.plugin,
      version: result.version ?? null,
      status: result.status,
      durationMs: result.durationMs ?? null,
      facts: result.facts ?? null,
      readings: result.readings ?? null,
      error: result.error?.toWellFormed() ?? null,
    })),
    ...(typeof droppedReports === 'number' ? { droppedReports } : {}),
  };
  return { report, hashes };
}

function checkName(name: string, path: readonly (string | number)[]): void {
  if (!name.isWellFormed() || name.includes('\0')) throw inputError(path, 'must be well-formed text');
  if (name.trim() === '') throw inputError(path, 'must not be empty');
  if (name.length > maxNameLength) throw inputError(path, `must be at most ${maxNameLength} characters`);
}
