/**
 * json-depth: bounds how deep a sent value may be nested.
 *
 * JSON.parse takes any depth, JSON.stringify overflows the stack at some thousands: unbounded, one
 * report could make a whole batch impossible to write.
 */
export const maxJsonDepth = 64;

export function isTooDeep(value: unknown, room = maxJsonDepth): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return room === 0 || Object.values(value).some((inner) => isTooDeep(inner, room - 1));
}
