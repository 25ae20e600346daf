/**
 * delta: sends what has not changed as its hash.
 *
 * Remembers what the API has acknowledged from this process, so the first report after start is whole. Whether the API
 * still has it is for the API to say: what it does not know it asks for.
 */
import { hash } from 'node:crypto';
import { factSetHash } from '../../plugins/fact-set.ts';
import type { PluginResult, SubmitReportInput, WireReport } from '../report.ts';

export type Delta = {
  /** The report with hashes instead of facts that are known; the same report when there are none. */
  shorten(report: SubmitReportInput): WireReport;
  /** The API has all of it. */
  acknowledged(report: SubmitReportInput): void;
  /** The API does not have what this report was shortened by. */
  forget(report: SubmitReportInput): void;
  /** From now on every report is whole: this API takes no hashes. */
  end(): void;
};

/** A backlog may tell what was before and after a change by turns with what is now. */
const maxPerPlugin = 4;
/** The hash is not shorter than these facts. */
const tooShort = 60;
/** Texts whose hash is remembered. */
const maxRemembered = 256;

export function createDelta(): Delta {
  /** Hashes by plugin, the newest last. */
  const known = new Map<string, string[]>();
  /** From a cheap hash of the text to that of the facts, which takes sorting all keys. */
  const identities = new Map<string, string>();
  /** What was collected once and is reported again, such as thousands of packages, is one object. */
  const seen = new WeakMap<object, { plugin: string; identity: string | null }>();
  let hasEnded = false;

  /** Null for what travels as it is. */
  function hashOf({ plugin, facts }: PluginResult): string | null {
    if (facts === null) return null;
    const before = seen.get(facts);
    if (before?.plugin === plugin) return before.identity;
    const identity = identityOf(plugin, facts);
    seen.set(facts, { plugin, identity });
    return identity;
  }

  function identityOf(plugin: string, facts: object): string | null {
    const text = JSON.stringify(facts);
    // Half a surrogate pair is stored as another character, so the API knows those facts under another hash.
    if (text.length < tooShort || text.includes('\\ud')) return null;
    const asSent = hash('sha1', `${plugin}\0${text}`, 'base64url');
    let identity = identities.get(asSent);
    if (identity === undefined) {
      identity = factSetHash(plugin, facts);
      if (identities.size >= maxRemembered) identities.clear();
      identities.set(asSent, identity);
    }
    return identity;
  }

  function update(
    { results }: SubmitReportInput,
    change: (hashes: string[], hash: string) => string[],
  ): void {
    for (const result of results) {
      const factsHash = hashOf(result);
      if (factsHash === null) continue;
      const others = (known.get(result.plugin) ?? []).filter((other) => other !== factsHash);
      known.set(result.plugin, change(others, factsHash));
    }
  }

  return {
    shorten(report) {
      if (hasEnded) return report;
      let isShorter = false;
      const results = report.results.map((result) => {
        const factsHash = hashOf(result);
        if (factsHash === null || !known.get(result.plugin)?.includes(factsHash)) return result;
        isShorter = true;
        const { facts: _, ...rest } = result;
        return { ...rest, factsHash };
      });
      return isShorter ? { ...report, results } : report;
    },
    acknowledged(report) {
      if (hasEnded) return;
      update(report, (others, factsHash) => [...others, factsHash].slice(-maxPerPlugin));
    },
    forget(report) {
      update(report, (others) => others);
    },
    end() {
      hasEnded = true;
      known.clear();
    },
  };
}
