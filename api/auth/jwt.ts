/** jwt: takes the word of an identity provider (OpenID Connect) on who somebody is. */
import { errors, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
import { messageOf } from '../../plugins/message-of.ts';
import type { OidcSettings } from '../settings/oidc.ts';
import type { Refusal, VerifyJwt } from './authenticate.ts';
import type { Identity } from './identity.ts';
import { IssuerAwayError, type IssuerKeysOptions, openIssuerKeys } from './issuer-keys.ts';

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
/** Of access tokens (RFC 9068) and of tokens that do not say; an issuer signs others for the same audience. */
const types = [undefined, 'jwt', 'at+jwt', 'application/at+jwt'];

const unknown: Refusal = { code: 'UNAUTHENTICATED', message: 'these credentials are not known here' };
const expired: Refusal = { code: 'UNAUTHENTICATED', message: 'this token has expired: ask for another one' };
const unavailable: Refusal = {
  code: 'UNAVAILABLE',
  message: 'the identity provider does not answer: try again later',
};

export type VerifyJwtOptions = {
  settings: OidcSettings;
  logger: IssuerKeysOptions['logger'];
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
};

export function makeVerifyJwt({ settings, logger, now = Date.now }: VerifyJwtOptions): VerifyJwt {
  const { issuer, audience } = settings;
  const keyOf = openIssuerKeys({ settings, logger, now });
  return async (token) => {
    try {
      const verified = await jwtVerify(token, keyOf, {
        ...{ issuer, audience, algorithms, clockTolerance: clockToleranceSeconds },
        currentDate: new Date(now()),
        // One that never ends could not be taken back.
        requiredClaims: ['exp', 'sub'],
      });
      const reason = whyNoBearer(verified);
      return reason === null ? identify(verified.payload, settings) : { ...unknown, reason };
    } catch (cause) {
      if (cause instanceof IssuerAwayError) return unavailable;
      if (cause instanceof errors.JWTExpired) return expired;
      // Also what is thrown of a key that the issuer has and that cannot be used.
      return { ...unknown, reason: messageOf(cause) };
    }
  };
}

/** Why somebody who has this token is not whom it is about; null where they are. */
function whyNoBearer({ payload, protectedHeader }: JWTVerifyResult): string | null {
  if (typeof payload.sub !== 'string' || payload.sub === '') return 'it names nobody';
  if (!types.includes(protectedHeader.typ?.toLowerCase())) return 'its type is not that of an access token';
  // https://openid.net/specs/openid-connect-backchannel-1_0.html: those of a logout.
  if (payload.events !== undefined) return 'it tells of an event';
  // RFC 8705 and 9449: good only together with a key that its holder has, which nobody here has asked for.
  if (payload.cnf !== undefined) return 'it is bound to a key of its holder';
  return null;
}

function identify(claims: JWTPayload, { scopesClaim, scopesOf }: OidcSettings): Identity {
  const { sub = '', exp = 0, preferred_username, email } = claims as JWTPayload & Record<string, unknown>;
  const claim = claimAt(claims, scopesClaim);
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

/** Of that name; else through objects by the names between its dots. Some issuers name their claims by URLs. */
function claimAt(claims: JWTPayload, name: string): unknown {
  let claim: unknown = claims;
  for (const part of Object.hasOwn(claims, name) ? [name] : name.split('.')) {
    claim = Object.hasOwn(Object(claim), part) ? (claim as Record<string, unknown>)[part] : undefined;
  }
  return claim;
}
