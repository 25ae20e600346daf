/**
 * directory: all credentials by what has happened to them, and which of them are good at a moment.
 *
 * The same events give the same answer on every node, in whatever order they were learned: the order of their keys
 * decides who was first.
 */
import type { Credential } from './credential.ts';

/** replaced: its host has enrolled again. spent: the uses of its enrolment secret were taken by others before it. */
export type CredentialState = 'valid' | 'expired' | 'revoked' | 'replaced' | 'spent';

type Entry = { credential: Credential; eventId: string };

export type Directory = {
  add(credential: Credential, eventId: string): void;
  revoke(id: string): void;
  byHash(hash: string): Credential | null;
  byId(id: string): Credential | null;
  /** @param now milliseconds since 1970 */
  stateOf(credential: Credential, now: number): CredentialState;
  /** How many hosts have enrolled with an enrolment secret. */
  usesOf(enrolmentId: string): number;
  /** The oldest first. */
  all(): Credential[];
};

export function makeDirectory(): Directory {
  const entries = new Map<string, Entry>();
  const idsByHash = new Map<string, string>();
  const revoked = new Set<string>();
  const ofHost = new Map<string, Entry[]>();
  /** In the order of their keys, whatever order they were learned in. */
  const enrolledWith = new Map<string, Entry[]>();

  function isSpent({ id, enrolment }: Credential): boolean {
    if (enrolment === null) return false;
    const { uses = null } = entries.get(enrolment)?.credential ?? {};
    if (uses === null) return false;
    // The first that came too late. Looked at with each request of a host, of which thousands may share a secret.
    const tooLate = enrolledWith.get(enrolment)?.[uses];
    return tooLate !== undefined && (entries.get(id)?.eventId ?? '') >= tooLate.eventId;
  }

  /** One that came too late for its secret takes nobody's place; one that was revoked has done so. */
  function isReplaced({ id, kind, narrowedTo }: Credential): boolean {
    if (kind !== 'host') return false;
    const own = entries.get(id)?.eventId ?? '';
    const others = ofHost.get(narrowedTo?.hostId ?? '') ?? [];
    return others.some(({ credential, eventId }) => eventId > own && !isSpent(credential));
  }

  return {
    add(credential, eventId) {
      if (entries.has(credential.id)) return;
      const entry = { credential, eventId };
      entries.set(credential.id, entry);
      idsByHash.set(credential.hash, credential.id);
      const { kind, enrolment, narrowedTo } = credential;
      if (kind === 'host') addTo(ofHost, narrowedTo?.hostId ?? '', entry);
      if (enrolment !== null) addTo(enrolledWith, enrolment, entry);
    },
    revoke: (id) => revoked.add(id),
    byHash: (hash) => entries.get(idsByHash.get(hash) ?? '')?.credential ?? null,
    byId: (id) => entries.get(id)?.credential ?? null,
    stateOf(credential, now) {
      if (revoked.has(credential.id)) return 'revoked';
      if (isSpent(credential)) return 'spent';
      if (isReplaced(credential)) return 'replaced';
      return credential.expiresAt !== null && credential.expiresAt <= now ? 'expired' : 'valid';
    },
    usesOf: (enrolmentId) => enrolledWith.get(enrolmentId)?.length ?? 0,
    all: () => [...entries.values()].sort(byKey).map(({ credential }) => credential),
  };
}

function byKey(a: Entry, b: Entry): number {
  return a.eventId < b.eventId ? -1 : 1;
}

/** In the order of keys: most come in it, and the others are not far off. */
function addTo(lists: Map<string, Entry[]>, key: string, entry: Entry): void {
  const list = lists.get(key) ?? [];
  list.splice(list.findLastIndex(({ eventId }) => eventId < entry.eventId) + 1, 0, entry);
  lists.set(key, list);
}
