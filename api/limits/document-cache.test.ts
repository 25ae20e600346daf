import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { boundedDocumentCache, maxCachedCharacters, maxCachedDocuments } from './document-cache.ts';

test('of documents that are kept, the one that was not asked for the longest goes first; large ones are not kept', () => {
  const { documentCache } = boundedDocumentCache();
  const document = parse('{ a }');
  const names = Array.from({ length: maxCachedDocuments }, (_, number) => String(number));
  for (const name of names) documentCache.set(name, document);
  expect(documentCache.get('0')).toBe(document);
  documentCache.set('one more', document);
  expect(names.filter((name) => !documentCache.get(name))).toEqual(['1']);
  documentCache.set('#'.repeat(maxCachedCharacters), document);
  documentCache.set('#'.repeat(maxCachedCharacters + 1), document);
  expect(documentCache.get('#'.repeat(maxCachedCharacters))).toBe(document);
  expect(documentCache.get('#'.repeat(maxCachedCharacters + 1))).toBeUndefined();
});
