/** limits: how much anyone may ask for: `OPERATION_LIMIT`, `REPORT_LIMIT`, `ADDRESS_LIMIT`, `MAX_IN_FLIGHT`. */
import type { ReadSetting } from './read-setting.ts';

/** So many in each window of a second or a minute. */
export type RateLimit = { most: number; perSeconds: 1 | 60 };

export type LimitSettings = {
  /** GraphQL operations, exports and requests of the Python routes, of one identity; null is as many as it likes. */
  operationLimit: RateLimit | null;
  /** Reports of one identity, each of those that come together. */
  reportLimit: RateLimit | null;
  /** Requests from one address. */
  addressLimit: RateLimit | null;
  /** Requests that are worked on at once; null is any number of them. @default 1000 */
  maxInFlight: number | null;
};

/**
 * The rates are above what one process can do: hosts of a fleet may share a token, and an address. Whoever is bound to one
 * host may do a hundredth (see limits/limits.ts).
 */
export const limitDefaults = {
  OPERATION_LIMIT: '600000/m',
  REPORT_LIMIT: '600000/m',
  ADDRESS_LIMIT: '600000/m',
  MAX_IN_FLIGHT: '1000',
} as const;

const maxRate = 1_000_000_000;
/** Fewer than a browser opens at once would refuse a page its parts. */
const minInFlight = 10;
const mostInFlight = 100_000;

export function readLimits(read: ReadSetting<keyof typeof limitDefaults>): LimitSettings {
  return {
    operationLimit: read('OPERATION_LIMIT', parseRate),
    reportLimit: read('REPORT_LIMIT', parseRate),
    addressLimit: read('ADDRESS_LIMIT', parseRate),
    maxInFlight: read('MAX_IN_FLIGHT', parseInFlight),
  };
}

function parseRate(value: string): RateLimit | null {
  if (value === 'off') return null;
  const [, digits = '', unit] = /^(\d+)\/([sm])$/.exec(value) ?? [];
  const most = Number(digits);
  if (most < 1 || most > maxRate) {
    throw new Error(
      `must be a number from 1 to ${maxRate} a second or a minute, as in 100/s or 5000/m, or off, but is ${JSON.stringify(value)}`,
    );
  }
  return { most, perSeconds: unit === 's' ? 1 : 60 };
}

function parseInFlight(value: string): number | null {
  if (value === 'off') return null;
  const most = Number(value);
  if (!/^\d+$/.test(value) || most < minInFlight || most > mostInFlight) {
    throw new Error(
      `must be a whole number from ${minInFlight} to ${mostInFlight}, or off, but is ${JSON.stringify(value)}`,
    );
  }
  return most;
}
