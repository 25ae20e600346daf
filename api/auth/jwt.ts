/**
 * jwt: takes the word of an identity provider (OpenID Connect) on who somebody is.
 *
 * The keys are the issuer's, asked for when one is needed that is not known. While the issuer does not answer, those that
 * it gave within the last day go on.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type ExportedJWKSCache,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwksCache,
  jwtVerify,
} from 'jose';
import type { Logger } from 'pino';
import type { OidcSettings } from '../settings/oidc.ts';
import type { Refusal, VerifyJwt } from './authenticate.ts';
import type { Identity } from './identity.ts';

/** Signatures that take the issuer's private key: with a shared secret whoever checks could sign. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const clockToleranceSeconds = 30;
const oldKeysMs = 24 * 60 * 60 * 1000;
const patienceMs = 5_000;
/** Whoever sends tokens with made-up keys must not make a request to the issuer of each. */
const cooldownMs = 30_000;

const unknown: Refusal = { code: 'UNAUTHENTICATED', message: 'these credentials are not known here' };
const expired: Refusal = { code: 'UNAUTHENTICATED', message: 'this token has expired: ask for another one' };
const unavailable: Refusal = {
  code: 'UNAVAILABLE',
  message: 'the identity provider does not answer: try again later',
};

export type VerifyJwtOptions = {
  settings: OidcSettings;
  logger: Pick<Logger, 'warn'>;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
};

export function makeVerifyJwt({ settings, logger, now = Date.now }: VerifyJwtOptions): VerifyJwt {
  const { issuer, audience, jwksUrl } = settings;
  const cache: Partial<ExportedJWKSCache> = {};
  let remote: JWTVerifyGetKey | null = null;

  async function openRemote(): Promise<JWTVerifyGetKey> {
    const url = new URL(jwksUrl ?? (await discover(issuer)));
    const options = {
      timeoutDuration: patienceMs,
      cooldownDuration: cooldownMs,
      [jwksCache]: cache as ExportedJWKSCache,
    };
    return createRemoteJWKSet(url, options);
  }

  const keyOf: JWTVerifyGetKey = async (header, token) => {
    try {
      remote ??= await openRemote();
      return await remote(header, token);
    } catch (cause) {
      // The issuer has answered, and has no such key.
      if (cause instanceof errors.JWKSNoMatchingKey) throw cause;
      logger.warn({ err: cause }, 'the identity provider does not answer');
      const { jwks, uat = 0 } = cache;
      if (!jwks || now() - uat > oldKeysMs) throw new IssuerAwayError('no keys', { cause });
      return createLocalJWKSet(jwks)(header, token);
    }
  };

  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        ...{ issuer, audience, algorithms, clockTolerance: clockToleranceSeconds },
        currentDate: new Date(now()),
        // One that never ends could not be taken back.
        requiredClaims: ['exp', 'sub'],
      });
      return identify(payload, settings);
    } catch (cause) {
      if (cause instanceof IssuerAwayError) return unavailable;
      if (cause instanceof errors.JWTExpired) return expired;
      if (cause instanceof errors.JOSEError) return unknown;
      throw cause;
    }
  };
}

class IssuerAwayError extends Error {}

/** https://openid.net/specs/openid-connect-discovery-1_0.html */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(patienceMs) });
  const found = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (found.issuer !== issuer) throw new Error(`${url} is that of ${found.issuer}: is OIDC_ISSUER right?`);
  return String(found.jwks_uri);
}

function identify(claims: JWTPayload, { scopesClaim, scopesOf }: OidcSettings): Identity {
  const { sub = '', exp = 0, preferred_username, email } = claims as JWTPayload & Record<string, unknown>;
  let claim: unknown = claims;
  for (const name of scopesClaim) {
    claim = Object.hasOwn(Object(claim), name) ? (claim as Record<string, unknown>)[name] : undefined;
  }
  // `scope` is text with spaces (RFC 8693), groups and roles are lists.
  const values = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim.map(String) : [];
  return {
    kind: 'person',
    id: sub,
    name: [preferred_username, email].find((name) => typeof name === 'string') ?? sub,
    scopes: new Set(values.flatMap((value) => scopesOf.get(value) ?? [])),
    narrowedTo: null,
    goodUntil: (exp + clockToleranceSeconds) * 1_000,
  } as Identity;
}
