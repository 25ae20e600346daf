/** draft: what an administrator says of a new credential, held against what makes sense. */
import { validate as isUuid } from 'uuid';
import { Failure } from '../failure.ts';
import type { CredentialDraft } from './credential.ts';
import { scopes as allScopes, type Scope } from './identity.ts';

export type CredentialRequest = {
  name: string;
  /** token: for people and programs. enrolment: lets agents enrol. */
  kind: 'token' | 'enrolment';
  scopes: readonly string[];
  hostId: string | null;
  labels: Readonly<Record<string, string>> | null;
  /** Milliseconds since 1970; null for never. */
  expiresAt: number | null;
  /** How many hosts may enrol with it; null for any number. */
  uses: number | null;
  /** The identity that asks; null for the command line. */
  createdBy: string | null;
};

const maxNameLength = 200;
const maxUses = 1_000_000;

/**
 * @param now milliseconds since 1970
 * @throws Failure INVALID that says what to write instead
 */
export function toDraft(request: CredentialRequest, now: number): CredentialDraft {
  const { kind, hostId, expiresAt, uses, createdBy } = request;
  const name = request.name.trim();
  demand(
    name !== '' && name.length <= maxNameLength,
    `a name must have from 1 to ${maxNameLength} characters`,
  );
  demand(!/\p{Cc}/u.test(name), 'a name must have no control characters');
  const labels = Object.keys(request.labels ?? {}).length > 0 ? request.labels : null;
  demand(
    hostId === null || isUuid(hostId),
    `a host is named by its id, a UUID, not ${JSON.stringify(hostId)}`,
  );
  demand(expiresAt === null || expiresAt > now, 'it would have expired already');
  if (kind === 'enrolment') {
    demand(request.scopes.length === 0, 'an enrolment secret has no scope: it enrols, and does nothing else');
    demand(labels === null, 'an enrolment secret may be for one host, but not for labels');
    const isCount = uses === null || (Number.isInteger(uses) && uses > 0 && uses <= maxUses);
    demand(isCount, `uses must be a whole number from 1 to ${maxUses}`);
  } else {
    demand(request.scopes.length > 0, `a token needs a scope: ${allScopes.join(', ')}`);
    demand(uses === null, 'only an enrolment secret has a number of uses');
  }
  const scopes = [...new Set(request.scopes)].map(toScope);
  const isNarrowed = hostId !== null || labels !== null;
  demand(!(isNarrowed && scopes.includes('admin')), 'admin is for the whole fleet: narrow submit or read');
  const narrowedTo = isNarrowed ? { hostId: hostId?.toLowerCase() ?? null, labels } : null;
  return { kind, name, scopes, narrowedTo, expiresAt, uses, enrolment: null, createdBy };
}

function toScope(text: string): Scope {
  const scope = allScopes.find((known) => known === text);
  demand(scope !== undefined, `${JSON.stringify(text)} is no scope: there are ${allScopes.join(', ')}`);
  return scope;
}

function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Failure('INVALID', otherwise);
}
