/** spelling: from the key that a value compares by back to the value as it is written. */
import ipaddr from 'ipaddr.js';
import type { Comparison } from '../../plugins/fact.ts';
import { type Comparable, toComparable } from './comparable.ts';

/**
 * @param compare null for a value of a plugin that is not declared
 * @param facts some facts that hold it, where the key alone does not say; null where they are not known
 * @param steps where in the facts: names with dots between, through lists
 */
export function spelledAs(
  compare: Comparison | null,
  key: Comparable,
  facts: unknown,
  steps: string,
): unknown {
  switch (compare) {
    case 'boolean':
      return key === 1;
    case 'instant':
      return new Date(Number(key)).toISOString();
    case 'ip':
      return addressOf(String(key));
    case 'version':
      return (
        find(facts, steps, (value) => typeof value === 'string' && toComparable('version', value) === key) ??
        key
      );
    case null:
      if (typeof key === 'string') return key;
      return find(facts, steps, (value) => typeof value !== 'string' && Number(value) === key) ?? key;
    default:
      return key;
  }
}

function addressOf(key: string): string {
  const address = ipaddr.fromByteArray([...Buffer.from(key, 'hex')]) as ipaddr.IPv6;
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toString();
}

/** The first value at the path which passes. */
function find(value: unknown, steps: string, passes: (value: unknown) => boolean): unknown {
  if (Array.isArray(value)) {
    for (const element of value) {
      const found = find(element, steps, passes);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (steps === '') return value !== null && typeof value !== 'object' && passes(value) ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  // A name may hold dots itself.
  for (const [name, inner] of Object.entries(value)) {
    if (steps !== name && !steps.startsWith(`${name}.`)) continue;
    const found = find(inner, steps.slice(name.length + 1), passes);
    if (found !== undefined) return found;
  }
  return undefined;
}
