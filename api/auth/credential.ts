/**
 * credential: a secret that os-inspector made, what it allows, and until when.
 *
 * The secret is shown once, to whoever asked for it. What is kept is its SHA-256: of 256 random bits there is nothing to
 * guess, so neither salt nor a slow hash would add anything, and finding one by its hash tells no clock how near it was.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Identity, Narrowing, Scope } from './identity.ts';

/** token: for people and programs. host: of one agent. enrolment: lets an agent get that. */
export const credentialKinds = ['token', 'host', 'enrolment'] as const;
export type CredentialKind = (typeof credentialKinds)[number];

/** The first letters of a secret say what it is, to people and to scanners for secrets. */
const prefixes = { token: 'osi_t_', host: 'osi_h_', enrolment: 'osi_e_' } as const satisfies Record<
  CredentialKind,
  string
>;
const secretForm = /^osi_[the]_[A-Za-z0-9_-]{43}$/;

export type Credential = {
  /** UUID version 7. */
  id: string;
  kind: CredentialKind;
  /** For people; of a host its host name. */
  name: string;
  /** SHA-256 of the secret, in base64url. */
  hash: string;
  scopes: readonly Scope[];
  narrowedTo: Narrowing | null;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Milliseconds since 1970; null for never. */
  expiresAt: number | null;
  /** How many hosts may enrol with it; null for any number, and of other kinds. */
  uses: number | null;
  /** The enrolment secret that a host's was got with; null of other kinds, and where an administrator made it. */
  enrolment: string | null;
  /** The identity that made it; null for the command line. */
  createdBy: string | null;
};

/** What a caller has to say of a new one. */
export type CredentialDraft = Pick<
  Credential,
  'kind' | 'name' | 'scopes' | 'narrowedTo' | 'expiresAt' | 'uses' | 'enrolment' | 'createdBy'
>;

export function makeSecret(kind: CredentialKind): string {
  return prefixes[kind] + randomBytes(32).toString('base64url');
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Whether os-inspector could have made it; what is none may be another kind of credential. */
export function isSecret(text: string): boolean {
  return secretForm.test(text);
}

export function identityOfCredential({ kind, id, name, scopes, narrowedTo }: Credential): Identity {
  return { kind, id, name, scopes: new Set(scopes), narrowedTo };
}
