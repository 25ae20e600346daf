/**
 * credential-event: what happens to credentials, as it lies in the bucket: an object for each, never changed.
 *
 * A key tells when, what, and of which credential, so that one that was revoked stays revoked even where the object
 * cannot be read any more.
 */
import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { type Credential, credentialKinds } from './credential.ts';
import { scopes } from './identity.ts';

/** Raised when a reader of the old form could misread the new one. */
const format = 1;
export const credentialPrefix = 'auth/';

const eventNames = ['created', 'revoked'] as const;
export type CredentialEventName = (typeof eventNames)[number];

/** What a key says. `eventId` is a UUID version 7: events are in the order of their keys. */
export type CredentialKey = { eventId: string; event: CredentialEventName; id: string };

const keyForm = /^auth\/([0-9a-f-]{36})\.(created|revoked)\.([0-9a-f-]{36})\.json$/;

export function credentialKey({ eventId, event, id }: CredentialKey): string {
  return `${credentialPrefix}${eventId}.${event}.${id}.json`;
}

/** Null for what is no key of an event. */
export function parseCredentialKey(key: string): CredentialKey | null {
  const [, eventId = '', event, id = ''] = keyForm.exec(key) ?? [];
  if (!isUuid(eventId) || !isUuid(id)) return null;
  return { eventId, event: event as CredentialEventName, id };
}

/** The first key that an event of this instant, or a later one, can have. */
export function firstKeyAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${credentialPrefix}${hex.slice(0, 8)}-${hex.slice(8)}`;
}

const instant = z.iso.datetime().transform((text) => Date.parse(text));
const narrowing = z.object({
  hostId: z.uuid().nullable(),
  labels: z.record(z.string(), z.string()).nullable(),
});

const created = z.object({
  format: z.literal(format),
  kind: z.enum(credentialKinds),
  name: z.string(),
  hash: z.string(),
  scopes: z.array(z.enum(scopes)),
  // A narrowing to nothing would open what was meant to be narrow: then there is no credential.
  narrowedTo: narrowing
    .refine(({ hostId, labels }) => hostId !== null || Object.keys(labels ?? {}).length > 0)
    .nullable(),
  createdAt: instant,
  expiresAt: instant.nullable(),
  uses: z.int().positive().nullable(),
  enrolment: z.uuid().nullable(),
  createdBy: z.string().nullable(),
});

export function encodeCreated({ id: _, createdAt, expiresAt, ...credential }: Credential): Uint8Array {
  const toText = (ms: number) => new Date(ms).toISOString();
  const times = { createdAt: toText(createdAt), expiresAt: expiresAt === null ? null : toText(expiresAt) };
  return Buffer.from(`${JSON.stringify({ format, ...credential, ...times })}\n`);
}

/** @throws Failure CORRUPT that names the key */
export function decodeCreated(key: string, id: string, body: Uint8Array): Credential {
  try {
    const { format: _, ...credential } = created.parse(JSON.parse(Buffer.from(body).toString()));
    return { id, ...credential };
  } catch (cause) {
    throw new Failure('CORRUPT', `${key} is not a credential that this version can read`, { cause });
  }
}

/** Who revoked it, for whoever looks into the bucket: the key alone counts. */
export function encodeRevoked(revokedBy: string | null): Uint8Array {
  return Buffer.from(`${JSON.stringify({ format, revokedBy })}\n`);
}
