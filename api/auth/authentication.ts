/** authentication: the credentials of the bucket, and the gate that they open; for as long as the API runs. */
import type { Logger } from 'pino';
import type { Bucket } from '../bucket/bucket.ts';
import { makeAuthenticate, type VerifyJwt } from './authenticate.ts';
import { type Credentials, openCredentials } from './credentials.ts';
import { type Gate, makeGate, openGate, type ServerContext } from './gate.ts';
import type { Identity } from './identity.ts';
import { openLastUse } from './last-use.ts';

export type Authentication = {
  gate: Gate;
  /** Also where nobody is asked for them: they are made before that is changed. */
  credentials: Credentials;
  close(): Promise<void>;
};

export type AuthenticationOptions = {
  bucket: Bucket;
  isRequired: boolean;
  verifyJwt?: VerifyJwt | null;
  certificateOf?: (context: ServerContext) => Identity | null;
  logger: Logger;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
};

/** @throws Failure UNAVAILABLE when the bucket does not answer */
export async function openAuthentication(options: AuthenticationOptions): Promise<Authentication> {
  const { bucket, isRequired, verifyJwt = null, certificateOf, logger, now = Date.now } = options;
  const credentials = openCredentials({ bucket, logger, now });
  const lastUse = openLastUse({ bucket, logger, now });
  await credentials.load();
  credentials.start();
  if (!isRequired) {
    logger.info('AUTH is none: whoever can reach this address may read and change everything');
    return { gate: openGate, credentials, close: () => credentials.close() };
  }
  if (credentials.list().length === 0 && verifyJwt === null) {
    logger.warn('nobody can come in yet: make a token with "os-inspector-api token create"');
  }
  lastUse.start();
  const authenticate = makeAuthenticate({ credentials, verifyJwt, onUse: lastUse.touch });
  return {
    gate: makeGate(authenticate, certificateOf),
    credentials,
    async close() {
      await credentials.close();
      await lastUse.close();
    },
  };
}
