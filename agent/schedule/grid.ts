/**
 * grid: the moments at which something that repeats is due, the same distance apart for ever.
 *
 * Each host has a phase of its own on it, derived from its id, so that a fleet spreads over the interval by itself, and
 * a host is due at the same second of the hour whenever it was started. Pure: moments are handed in.
 */
import { hash } from 'node:crypto';

/** Due at `phaseMs` and every `intervalMs` from there on, in the time of some clock. */
export type Grid = { intervalMs: number; phaseMs: number };

/** What a clock shows at one moment, and what the calendar does. */
export type Moment = {
  /** Milliseconds of a clock that is never set. */
  now: number;
  /** Milliseconds since 1970. */
  wallNow: number;
};

/**
 * The grid of whatever `key` names, such as the id of a host: anchored to the calendar at this moment, and
 * from then on not moved by it.
 */
export function gridOf(key: string, intervalMs: number, { now, wallNow }: Moment): Grid {
  const phaseMs = modulo(shareOf(key) * intervalMs - (wallNow - now), intervalMs);
  return { intervalMs, phaseMs };
}

/** The first tick after a moment. */
export function tickAfter({ intervalMs, phaseMs }: Grid, moment: number): number {
  const ticks = Math.floor((moment - phaseMs) / intervalMs) + 1;
  const tick = phaseMs + ticks * intervalMs;
  // A rounded quotient may fall on the tick that it began from.
  return tick > moment ? tick : tick + intervalMs;
}

/** From 0 up to 1: even over many keys, and always the same for one. */
export function shareOf(key: string): number {
  return Number.parseInt(hash('sha256', key).slice(0, 12), 16) / 2 ** 48;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
