/**
 * identity: who asks, and what they may do.
 *
 * Every request has one before anything else is done for it. What it may do follows from its scopes; where it is
 * narrowed, to a host or to labels, everything else does not exist for it.
 */
export const scopes = ['submit', 'read', 'admin'] as const;
/** submit: send reports. read: ask for them. admin: all of that, and who may do what. */
export type Scope = (typeof scopes)[number];

/** All of it must hold: the host has this id, and all of these labels. */
export type Narrowing = {
  hostId: string | null;
  /** Null where labels do not matter; never empty. */
  labels: Readonly<Record<string, string>> | null;
};

/**
 * everyone: no authentication is configured. token: made by an administrator. host: an agent that has enrolled.
 * person: a JWT of the identity provider. certificate: of a client, by mutual TLS. enrolment: may enrol, and nothing else.
 */
export type IdentityKind = 'everyone' | 'token' | 'host' | 'person' | 'certificate' | 'enrolment';

export type Identity = {
  kind: IdentityKind;
  /** Tells it from all others, in logs and for limits; no secret. */
  id: string;
  /** For people. */
  name: string;
  scopes: ReadonlySet<Scope>;
  /** Null where it is for the whole fleet. */
  narrowedTo: Narrowing | null;
  /** When its token ends, milliseconds since 1970; absent where somebody else keeps that. */
  goodUntil?: number;
};

/** Whoever reaches an API without authentication, which is reachable from its own machine only. */
export const everyone: Identity = {
  kind: 'everyone',
  id: 'everyone',
  name: 'everyone',
  scopes: new Set(scopes),
  narrowedTo: null,
};

export function hasScope({ scopes }: Pick<Identity, 'scopes'>, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin');
}
