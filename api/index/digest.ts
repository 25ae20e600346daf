/**
 * digest: takes reports apart into what stays the same from one to the next, under its hash, and what does not.
 *
 * Pure but for a bounded memory of hashes. Runs where the reports are parsed; what it returns is plain
 * data that goes to the thread that owns the database.
 */
import { hash } from 'node:crypto';
import { factSetHash } from '../../plugins/fact-set.ts';
import { decodeLine, type Segment, type StoredSegment } from '../log/segment.ts';
import type { PluginStatus, StoredReport } from '../log/stored-report.ts';
import { withoutNul } from './comparable.ts';
import { hostIdOf, type LineTemplate, makeLineTemplate, matchLine } from './line-template.ts';
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
  host: { id: string; name: string };
  /** What the report says of its host, as the result of `hostPlugin`, then those of its plugins. */
  results: readonly ResultDigest[];
};

/**
 * Stands for a plugin where reports tell of the host itself: name, labels, agent. So these are compared, counted and
 * remembered as facts are. No plugin can be named so.
 */
export const hostPlugin = '';
/** What the paths of these facts begin with: `host.name`, `host.labels.environment`. */
export const hostPathRoot = 'host';

export type HostFacts = {
  name: string;
  labels: Record<string, string>;
  agentVersion: string | null;
  intervalSeconds: number | null;
  clonedFrom: string | null;
};

/** Paths that may be asked for though no host has told any yet, as there may be no clones. */
export const hostPaths: readonly string[] = ['name', 'agentVersion', 'intervalSeconds', 'clonedFrom'].map(
  (name) => `${hostPathRoot}.${name}`,
);

/** From what is stored: null is left out there, so that reports which cannot tell it are as they were before it was told. */
export function toHostFacts(stored: unknown): HostFacts {
  return { clonedFrom: null, ...(stored as Omit<HostFacts, 'clonedFrom'> & Partial<HostFacts>) };
}

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
  factSets: ReadonlyMap<string, FactSetDigest>;
};

export type FactSetDigest = { plugin: string; facts: string };

/** When a host's report counts as told: a clock that runs ahead must not make it the newest for years. */
export function toldAt({
  collectedAt,
  receivedAt,
}: Pick<ReportDigest, 'collectedAt' | 'receivedAt'>): number {
  return Math.min(collectedAt, receivedAt);
}

/** Some two sets of facts for each plugin of 10,000 hosts; 150 bytes each. */
const maxRemembered = 80_000;

export type Digester = {
  /**
   * @param bodies new: leaves out contents and fact sets that were delivered before; all: for an index that lacks some
   * @throws Failure CORRUPT for a line that is no report
   */
  digest(segments: readonly (Segment | StoredSegment)[], bodies: 'new' | 'all'): Digest;
  /** An index has all of it. */
  delivered(digest: Digest): void;
};

type Digested = {
  digest: ReportDigest;
  content: string;
  body: ContentDigest;
  factSets: ReadonlyMap<string, FactSetDigest>;
};

/** What a line that matches says, whose body an index has. */
type Template = LineTemplate & { content: string };

/** @param maxTemplates hosts whose lines are recognised; each takes three kilobytes */
export function makeDigester(maxTemplates: number): Digester {
  /** From a cheap hash of the facts' text as sent to their identity, which takes sorting all keys. */
  const identities = new Map<string, string>();
  /** By host. */
  const templates = new Map<string, Template>();
  /** Hashes of contents and fact sets. */
  const known = new Set<string>();

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

  function digestReport(report: StoredReport): Digested {
    const factSets = new Map<string, FactSetDigest>();
    const measured: Json[] = [];
    const tell = (plugin: string, facts: unknown): string => {
      const text = JSON.stringify(facts);
      const factSet = identify(plugin, facts, text);
      factSets.set(factSet, { plugin, facts: text });
      return factSet;
    };
    const name = withoutNul(report.host.name);
    const results = report.results.map((result): ResultDigest => {
      const { version, status, durationMs, facts, readings } = result;
      const plugin = withoutNul(result.plugin);
      measured.push(durationMs);
      const shape = isNothing(readings) ? null : JSON.stringify(splitShape(readings as Json, measured));
      const factSet = isNothing(facts) ? null : tell(plugin, facts);
      return { plugin, version, status, error: orNull(result.error), factSet, shape };
    });
    // Last, so that reports of agents that do not say it are as they were.
    if (report.droppedReports !== undefined) measured.push(report.droppedReports);
    const hostFacts: Omit<HostFacts, 'clonedFrom'> & Partial<HostFacts> = {
      name,
      labels: report.host.labels,
      agentVersion: orNull(report.agentVersion),
      intervalSeconds: report.intervalSeconds,
      ...(report.host.clonedFrom === undefined ? {} : { clonedFrom: report.host.clonedFrom.toLowerCase() }),
    };
    const ofHost: ResultDigest = {
      ...{ plugin: hostPlugin, version: null, status: 'OK', error: null, shape: null },
      factSet: tell(hostPlugin, hostFacts),
    };
    const body: ContentDigest = {
      host: { id: report.host.id.toLowerCase(), name },
      results: [ofHost, ...results],
    };
    const content = contentHash(body);
    const digest: ReportDigest = {
      id: report.id.toLowerCase(),
      hostId: body.host.id,
      collectedAt: Date.parse(report.collectedAt),
      receivedAt: Date.parse(report.receivedAt),
      content,
      // Without the brackets, which would be the same two bytes for every report.
      measured: JSON.stringify(measured).slice(1, -1),
    };
    return { digest, content, body, factSets };
  }

  function recognise(line: string): ReportDigest | null {
    const hostId = hostIdOf(line);
    const template = templates.get(hostId);
    const match = template && known.has(template.content) ? matchLine(template, line) : null;
    return match && template ? { ...match, hostId, content: template.content } : null;
  }

  function parse(key: string, line: string, number: number): Digested {
    const report = decodeLine(key, line, number);
    const digested = digestReport(report);
    const made = makeLineTemplate(line, report);
    if (made) {
      const { hostId } = digested.digest;
      templates.delete(hostId);
      const [oldest] = templates.keys();
      if (templates.size >= maxTemplates && oldest !== undefined) templates.delete(oldest);
      templates.set(hostId, { ...made, content: digested.content });
    }
    return digested;
  }

  return {
    digest(segments, bodies) {
      const contents = new Map<string, ContentDigest>();
      const factSets = new Map<string, FactSetDigest>();
      const isNeeded = (key: string) => bodies === 'all' || !known.has(key);
      const take = ({ content, body, digest, factSets: told }: Digested): ReportDigest => {
        if (!contents.has(content) && isNeeded(content)) {
          contents.set(content, body);
          for (const [key, factSet] of told) if (isNeeded(key)) factSets.set(key, factSet);
        }
        return digest;
      };
      const takeLine = (key: string, line: string, index: number): ReportDigest =>
        (bodies === 'new' ? recognise(line) : null) ?? take(parse(key, line, index + 1));
      return {
        segments: segments.map((segment) => ({
          key: segment.key,
          reports:
            'lines' in segment
              ? segment.lines.map((line, index) => takeLine(segment.key, line, index))
              : segment.reports.map((report) => take(digestReport(report))),
        })),
        contents,
        factSets,
      };
    },
    delivered({ contents, factSets }) {
      if (known.size >= maxRemembered) known.clear();
      for (const key of contents.keys()) known.add(key);
      for (const key of factSets.keys()) known.add(key);
    },
  };
}

function contentHash({ host, results }: ContentDigest): string {
  const fields = results.map(({ plugin, version, status, error, factSet, shape }) => [
    plugin,
    version,
    status,
    error,
    factSet,
    shape,
  ]);
  return hash('sha256', JSON.stringify([host.id, fields]), 'base64url');
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}

function orNull(text: string | null): string | null {
  return text === null ? null : withoutNul(text);
}
