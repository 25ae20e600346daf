/**
 * admission: whose reports an identity may send.
 *
 * Narrowed to a host, only its own. Narrowed to labels, only reports that tell them, of hosts that are new or within already:
 * otherwise a report could draw any host over, and all its history with it.
 */
import DataLoader from 'dataloader';
import type { GraphQLError } from 'graphql';
import type { HostRow, IndexReader } from '../index/index-store.ts';
import type { StoredReport } from '../log/stored-report.ts';
import type { InputPath } from '../schema/input-error.ts';
import { within } from '../within.ts';
import { forbidden } from './forbidden.ts';
import type { Identity } from './identity.ts';
import { isWithin, narrowingText } from './narrowing.ts';

type Host = StoredReport['host'];

export type Admission = {
  /**
   * @param at where the host stands in the arguments
   * @throws GraphQLError FORBIDDEN with the path of what may not be
   * @throws Failure UNAVAILABLE when it takes the index to know, and that does not answer
   */
  check(identity: Identity, host: Host, at: InputPath): Promise<void>;
};

/** Whoever sends reports waits so long for other questions of theirs as well (see known-facts.ts). */
const patienceMs = 2_000;

export function openAdmission({ index }: { index: Pick<IndexReader, 'hostsById'> }): Admission {
  // One question for all reports that arrive in one turn of the event loop.
  const hosts = new DataLoader<string, HostRow | null>((ids) => index.hostsById(ids), {
    cache: false,
    batchScheduleFn: setImmediate,
    maxBatchSize: 1_000,
  });
  return {
    async check(identity, host, at) {
      const refused = outside(identity, host, at);
      if (refused) throw refused;
      const { narrowedTo } = identity;
      if (!narrowedTo?.labels) return;
      const now = await within(patienceMs, 'the index', hosts.load(host.id.toLowerCase()));
      if (now && !isWithin(narrowedTo, now))
        throw notIts(identity, 'is of a host that is not within', [...at, 'id']);
    },
  };
}

/** By what the report says; null where nothing is against it. */
export function outside(identity: Identity, host: Host, at: InputPath): GraphQLError | null {
  const { hostId, labels } = identity.narrowedTo ?? { hostId: null, labels: null };
  if (hostId !== null && host.id.toLowerCase() !== hostId.toLowerCase())
    return notIts(identity, 'is of another host', [...at, 'id']);
  for (const [name, value] of Object.entries(labels ?? {})) {
    if (!Object.hasOwn(host.labels, name) || host.labels[name] !== value)
      return notIts(identity, `lacks ${JSON.stringify(name)}: ${JSON.stringify(value)}`, [...at, 'labels']);
  }
  return null;
}

function notIts({ name, narrowedTo }: Identity, problem: string, path: InputPath): GraphQLError {
  const bounds = narrowedTo ? narrowingText(narrowedTo) : '';
  return forbidden(`${problem}, and ${name} may send reports of ${bounds} only`, { path });
}
