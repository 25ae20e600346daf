/**
 * issuer-keys: the public keys by which an identity provider signs, as it has them now.
 *
 * Tokens come from strangers as well: whatever they name, the issuer is asked once in a while and no more. While it is away
 * nobody waits for it: the keys that it gave within the last day go on, and others are not known until it is back.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import { type OidcSettings, trustedUrl } from '../settings/oidc.ts';

/** Whether a key is the issuer's cannot be told for now. */
export class IssuerAwayError extends Error {
  override name = 'IssuerAwayError';
}

export type IssuerKeysOptions = {
  settings: Pick<OidcSettings, 'issuer' | 'jwksUrl'>;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds since 1970. */
  now: () => number;
};

/** So long a key that the issuer has taken back may go on. */
const freshMs = 5 * 60 * 1000;
const oldMs = 24 * 60 * 60 * 1000;
/** From one question to the next, however the first went. */
const cooldownMs = 10_000;
const patienceMs = 5_000;

/**
 * Asks the issuer at once, so that the log tells of one that is not there before somebody needs it. What it returns throws
 * JWKSNoMatchingKey for a key that is not the issuer's, and IssuerAwayError where that cannot be told.
 */
export function openIssuerKeys({ settings, logger, now }: IssuerKeysOptions): JWTVerifyGetKey {
  let known: { keyOf: JWTVerifyGetKey; at: number } | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking = Promise.resolve();
  let isAway = false;

  async function read(): Promise<void> {
    const signal = AbortSignal.timeout(patienceMs);
    const url = settings.jwksUrl ?? (await discover(settings.issuer, signal));
    const keyOf = createLocalJWKSet((await readJson(url, signal)) as JSONWebKeySet);
    known = { keyOf, at: now() };
  }

  async function ask(): Promise<void> {
    try {
      await read();
      if (isAway) logger.info('the identity provider answers again');
      isAway = false;
    } catch (cause) {
      isAway = true;
      logger.warn({ err: cause }, 'the identity provider does not answer');
    }
  }

  /** Waits for the answer, unless the last question had none. */
  async function refresh(): Promise<void> {
    if (Math.abs(now() - askedAt) >= cooldownMs) {
      askedAt = now();
      asking = ask();
    }
    if (!isAway) await asking;
  }

  /** Time has passed as well where the clock was set back. */
  function age(): number {
    return known ? Math.abs(now() - known.at) : Number.POSITIVE_INFINITY;
  }

  void refresh();
  return async (header, token) => {
    if (age() > freshMs) await refresh();
    for (const isLast of [false, true]) {
      if (known && age() <= oldMs) {
        try {
          return await known.keyOf(header, token);
        } catch (cause) {
          if (!(cause instanceof errors.JWKSNoMatchingKey) || (isLast && !isAway)) throw cause;
        }
      }
      // It may be a new one.
      if (!isLast) await refresh();
    }
    throw new IssuerAwayError('the identity provider does not answer');
  };
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html */
async function discover(issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = (await readJson(url, signal)) as { issuer?: unknown; jwks_uri?: unknown };
  if (found.issuer !== issuer) throw new Error(`${url} is that of ${found.issuer}: is OIDC_ISSUER right?`);
  try {
    return trustedUrl(String(found.jwks_uri));
  } catch (cause) {
    throw new Error(`jwks_uri in ${url} cannot be used: ${(cause as Error).message}`);
  }
}

async function readJson(url: string, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return await response.json();
  } catch (cause) {
    throw new Error(`${url} cannot be read`, { cause });
  }
}
