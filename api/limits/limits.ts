/**
 * limits: how often anyone may ask in a second or a minute: of one identity, from one address.
 *
 * Counted in this process alone: of n processes together each lets n times as much through. Windows are fixed, so whoever has
 * used up one waits for the next.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Identity } from '../auth/identity.ts';
import type { LimitSettings, RateLimit } from '../settings/limits.ts';
import { slotOf } from './address-slot.ts';

export type TooMany = {
  /** What there was too much of, and how much there may be. */
  message: string;
  /** Whole, and at least 1. */
  retryAfterSeconds: number;
};

export type Limits = {
  /** Counts a request. @returns why it is refused; null where it is not */
  takeRequest(address: string): Promise<TooMany | null>;
  /** Counts an operation of GraphQL, an export or a request of the Python routes. */
  takeOperation(identity: LimitedIdentity): Promise<TooMany | null>;
  /** Counts reports that come together. @returns how many of them may be taken, and why the others may not */
  takeReports(
    identity: LimitedIdentity,
    count: number,
  ): Promise<{ granted: number; refused: TooMany | null }>;
  /**
   * Counts credentials that were wrong. Whoever checks them answers with what this returns instead of telling what was
   * wrong, and need not look any further for those of such an address.
   */
  countFailedCredentials(address: string): Promise<TooMany | null>;
};

export type LimitedIdentity = Pick<Identity, 'id' | 'narrowedTo'>;

/**
 * Of what others may, a credential that is bound to one host: 6,000 reports a minute by default, while an agent that
 * delivers what it has gathered in a week brings some 750.
 */
const shareOfOneHost = 1 / 100;

/** A person mistypes; a fleet whose token was revoked comes from one address, and is told so this often. */
export const failedCredentials: RateLimit = { most: 60, perSeconds: 60 };

export type LimitsSettings = Pick<LimitSettings, 'operationLimit' | 'reportLimit' | 'addressLimit'>;

export const noLimits: LimitsSettings = { operationLimit: null, reportLimit: null, addressLimit: null };

export function makeLimits({ operationLimit, reportLimit, addressLimit }: LimitsSettings): Limits {
  const operations = ofIdentities(operationLimit, 'operations');
  const reports = ofIdentities(reportLimit, 'reports');
  const requests = meter(addressLimit, 'requests from this address');
  const failures = meter(addressLimit && lower(addressLimit, failedCredentials), 'wrong credentials');
  return {
    takeRequest: async (address) => (await requests(slotOf(address), 1)).refused,
    takeOperation: async (identity) => (await operations(identity, 1)).refused,
    takeReports: reports,
    countFailedCredentials: async (address) => (await failures(slotOf(address), 1)).refused,
  };
}

/** Whoever is bound to one host has a meter of its own kind. */
function ofIdentities(limit: RateLimit | null, what: string) {
  const wide = meter(limit, what);
  const narrow = meter(limit && { ...limit, most: Math.ceil(limit.most * shareOfOneHost) }, what);
  return ({ id, narrowedTo }: LimitedIdentity, count: number) =>
    typeof narrowedTo?.hostId === 'string' ? narrow(id, count) : wide(id, count);
}

function meter(limit: RateLimit | null, what: string) {
  if (!limit) return async (_key: string, count: number) => ({ granted: count, refused: null });
  const { most, perSeconds } = limit;
  const limiter = new RateLimiterMemory({ points: most, duration: perSeconds });
  const message = `too many ${what}: ${most} in a ${perSeconds === 1 ? 'second' : 'minute'} are allowed`;
  return async (key: string, count: number) => {
    // What is refused counts as well, until the window is over.
    const { consumedPoints, msBeforeNext } = await limiter.consume(key, count).catch(unlessBug);
    const granted = Math.max(0, Math.min(count, most - (consumedPoints - count)));
    const retryAfterSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
    return { granted, refused: granted < count ? { message, retryAfterSeconds } : null };
  };
}

/** The library rejects with its counts. */
function unlessBug(cause: unknown): RateLimiterRes {
  if (cause instanceof RateLimiterRes) return cause;
  throw cause;
}

function lower(one: RateLimit, other: RateLimit): RateLimit {
  return one.most / one.perSeconds < other.most / other.perSeconds ? one : other;
}
