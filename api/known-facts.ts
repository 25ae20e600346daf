/**
 * known-facts: puts facts in the place of their hash, for agents that send what has not changed as that alone.
 *
 * Only facts that this very host has told before: who knows a hash of another host's facts learns nothing by it.
 */
import DataLoader from 'dataloader';
import type { HostFactSet, IndexReader } from './index/index-store.ts';
import type { StoredReport } from './log/stored-report.ts';
import { within } from './within.ts';

/** A report, and the hashes that stand for facts, by the position of the result. */
export type Shortened = { report: StoredReport; hashes: ReadonlyMap<number, string> };

export type KnownFacts = {
  /**
   * The same reports with all their facts; null for one of which a hash is not known, or while the index does not answer.
   * Together they grow by no more than `maxGrowthBytes`: the rest counts as not known.
   */
  expand(reports: readonly Shortened[]): Promise<(StoredReport | null)[]>;
};

export type KnownFactsOptions = {
  index: Pick<IndexReader, 'hostFacts'>;
  /** Told when the index did not answer. */
  onIndexError: (cause: unknown) => void;
  /** In bytes of JSON. */
  maxGrowthBytes: number;
};

/** The agent sends the whole report at once when it is told so: waiting longer would be no gain. */
const patienceMs = 2_000;

type Found = { facts: unknown; bytes: number };

export function openKnownFacts({ index, onIndexError, maxGrowthBytes }: KnownFactsOptions): KnownFacts {
  // One question for all reports that arrive in one turn of the event loop.
  const loader = new DataLoader<HostFactSet, Found | null, string>(
    async (asked) => {
      const texts = await index.hostFacts(asked);
      // Many hosts tell the same facts: one text, taken apart once.
      const parsed = new Map<string, Found>();
      return texts.map((text) => {
        if (text === null) return null;
        const found = parsed.get(text) ?? { facts: JSON.parse(text), bytes: Buffer.byteLength(text) };
        parsed.set(text, found);
        return found;
      });
    },
    {
      cache: false,
      batchScheduleFn: setImmediate,
      maxBatchSize: 1_000,
    },
  );

  async function find(hostId: string, hash: string): Promise<Found | null> {
    try {
      return await within(patienceMs, 'the index', loader.load({ hostId: hostId.toLowerCase(), hash }));
    } catch (cause) {
      onIndexError(cause);
      return null;
    }
  }

  return {
    async expand(reports) {
      const found = await Promise.all(
        reports.map(({ report, hashes }) =>
          Promise.all(
            [...hashes].map(
              async ([position, hash]) => [position, await find(report.host.id, hash)] as const,
            ),
          ),
        ),
      );
      let left = maxGrowthBytes;
      return reports.map(({ report }, number) => {
        const facts = new Map(found[number]);
        const bytes = [...facts.values()].map((known) => known?.bytes ?? Number.POSITIVE_INFINITY);
        const growth = bytes.reduce((sum, more) => sum + more, 0);
        if (growth > left) return null;
        left -= growth;
        const results = report.results.map((result, position) => {
          const known = facts.get(position);
          return known ? { ...result, facts: known.facts } : result;
        });
        return { ...report, results };
      });
    },
  };
}
