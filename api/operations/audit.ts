/**
 * audit: who did what, as lines of the log that say `"audit":true`: for whoever has to find out afterwards.
 *
 * No line holds a secret: credentials are named by their id, people and programs by their identity.
 */
import type { Logger } from 'pino';
import type { Identity } from '../auth/identity.ts';

export type AuditEvent =
  | 'auth.refused'
  | 'token.created'
  | 'token.revoked'
  | 'host.enrolled'
  | 'host.enrolment-refused'
  | 'operation'
  | 'export';

/** @param identity null for a stranger */
export type Audit = (event: AuditEvent, identity: Identity | null, details: Record<string, unknown>) => void;

export function makeAudit(logger: Pick<Logger, 'info'>): Audit {
  return (event, identity, details) => {
    const by = identity && { kind: identity.kind, id: identity.id, name: identity.name };
    logger.info({ audit: true, event, by, ...details }, event);
  };
}
