/**
 * digest: takes reports apart into what stays the same from one to the next, under its hash, and what does not.
 *
 * Pure but for a bounded memory of hashes. Runs where the reports are parsed; what it returns is plain
 * data that goes to the thread that owns the database.
 */
import { hash } from 'node:crypto';
import type { PluginStatus, StoredReport, StoredResult } from '../log/stored-report.ts';
import { withoutNul } from './comparable.ts';
import { factSetHash } from './fact-set.ts';
import { type Json, splitShape } from './shape.ts';

export type ResultDigest = {
  plugin: string;
  version: number | null;
  status: PluginStatus;
  error: string | null;
  /** Hash of its facts; null when there are none. */
  factSet: string | null;
  shape: string | null;
};

export type ContentDigest = {
  host: { id: string; name: string; labels: string };
  agentVersion: string | null;
  intervalSeconds: number | null;
  results: readonly ResultDigest[];
};

export type ReportDigest = {
  id: string;
  hostId: string;
  /** Milliseconds since 1970. */
  collectedAt: number;
  receivedAt: number;
  /** Hash of its content. */
  content: string;
  measured: string;
};

/** What an index applies: segments with each content and fact set once, however many reports have it. */
export type Digest = {
  segments: readonly { key: string; reports: readonly ReportDigest[] }[];
  contents: ReadonlyMap<string, ContentDigest>;
  factSets: ReadonlyMap<string, { plugin: string; facts: string }>;
};

/** When a host's report counts as told: a clock that runs ahead must not make it the newest for years. */
export function toldAt({
  collectedAt,
  receivedAt,
}: Pick<ReportDigest, 'collectedAt' | 'receivedAt'>): number {
  return Math.min(collectedAt, receivedAt);
}

/** Some two sets of facts for each plugin of 10,000 hosts; 150 bytes each. */
const maxRemembered = 80_000;

export type Digester = (segments: readonly { key: string; reports: readonly StoredReport[] }[]) => Digest;

export function makeDigester(): Digester {
  /** From a cheap hash of the facts' text as sent to their identity, which takes sorting all keys. */
  const identities = new Map<string, string>();

  function identify(plugin: string, facts: unknown, text: string): string {
    const asSent = hash('sha1', `${plugin}\0${text}`, 'base64url');
    let identity = identities.get(asSent);
    if (identity === undefined) {
      identity = factSetHash(plugin, facts);
      if (identities.size >= maxRemembered) identities.clear();
      identities.set(asSent, identity);
    }
    return identity;
  }

  return (segments) => {
    const contents = new Map<string, ContentDigest>();
    const factSets = new Map<string, { plugin: string; facts: string }>();

    function digestResult(result: StoredResult, measured: Json[]): ResultDigest {
      const { version, status, durationMs, facts, readings } = result;
      const plugin = withoutNul(result.plugin);
      measured.push(durationMs);
      const shape = isNothing(readings) ? null : JSON.stringify(splitShape(readings as Json, measured));
      let factSet: string | null = null;
      if (!isNothing(facts)) {
        const text = JSON.stringify(facts);
        factSet = identify(plugin, facts, text);
        if (!factSets.has(factSet)) factSets.set(factSet, { plugin, facts: text });
      }
      return { plugin, version, status, error: orNull(result.error), factSet, shape };
    }

    function digestReport(report: StoredReport): ReportDigest {
      const { id, intervalSeconds } = report;
      const host = {
        id: report.host.id.toLowerCase(),
        name: withoutNul(report.host.name),
        labels: JSON.stringify(report.host.labels),
      };
      const measured: Json[] = [];
      const results = report.results.map((result) => digestResult(result, measured));
      const content = { host, agentVersion: orNull(report.agentVersion), intervalSeconds, results };
      const key = contentHash(content);
      if (!contents.has(key)) contents.set(key, content);
      return {
        id: id.toLowerCase(),
        hostId: host.id,
        collectedAt: Date.parse(report.collectedAt),
        receivedAt: Date.parse(report.receivedAt),
        content: key,
        // Without the brackets, which would be the same two bytes for every report.
        measured: JSON.stringify(measured).slice(1, -1),
      };
    }

    return {
      segments: segments.map(({ key, reports }) => ({ key, reports: reports.map(digestReport) })),
      contents,
      factSets,
    };
  };
}

function contentHash({ host, agentVersion, intervalSeconds, results }: ContentDigest): string {
  const fields = results.map(({ plugin, version, status, error, factSet, shape }) => [
    plugin,
    version,
    status,
    error,
    factSet,
    shape,
  ]);
  return hash(
    'sha256',
    JSON.stringify([host.id, host.name, host.labels, agentVersion, intervalSeconds, fields]),
    'base64url',
  );
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}

function orNull(text: string | null): string | null {
  return text === null ? null : withoutNul(text);
}
