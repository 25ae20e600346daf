/** fact-set: the identity of what a plugin said: equal facts have equal hashes, whatever their key order. */
import { hash } from 'node:crypto';

/** @param facts any JSON value */
export function factSetHash(plugin: string, facts: unknown): string {
  return hash('sha256', `${plugin}\0${canonicalJson(facts)}`, 'base64url');
}

/** JSON text with the keys of every object in order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
