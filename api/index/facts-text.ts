/**
 * facts-text: the JSON of a fact set as a row holds it: as it is, or compressed where it is long.
 *
 * Byte for byte what was told. Three thousand packages are 390 kB, and 26 kB compressed.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Row } from './tables.ts';

export type StoredFacts = Pick<Row<'fact_sets'>, 'facts' | 'packed'>;

/** In characters. Below, a row is read often and is a page or few: unpacking would cost more than it saves. */
const longText = 16_384;

export function storedFacts(text: string): StoredFacts {
  if (text.length < longText) return { facts: text, packed: null };
  return { facts: null, packed: zstdCompressSync(text) };
}

export function textOfFacts({ facts, packed }: StoredFacts): string {
  if (facts !== null) return facts;
  if (packed === null) throw new Error('a fact set has its facts in one form or the other');
  return zstdDecompressSync(packed).toString();
}
