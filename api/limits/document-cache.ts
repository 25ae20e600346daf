/**
 * document-cache: keeps what agents, dashboards and GraphiQL send again and again parsed and validated.
 *
 * A parsed document takes hundreds of times its text: a thousand different ones of any length, as a script sends that
 * writes values into its queries, would take gigabytes.
 */
import type { DocumentNode } from 'graphql';

/** Agents' and GraphiQL's own have some 1,500; of 4,000 a parsed one takes about a megabyte at most. */
export const maxCachedCharacters = 4_000;
export const maxCachedDocuments = 100;

/** What Yoga takes as its `parserAndValidationCache`. */
export function boundedDocumentCache() {
  /** The one that was not asked for the longest comes first. */
  const documents = new Map<string, DocumentNode>();
  return {
    documentCache: {
      get(text: string): DocumentNode | undefined {
        const document = documents.get(text);
        if (!document) return undefined;
        documents.delete(text);
        documents.set(text, document);
        return document;
      },
      set(text: string, document: DocumentNode): void {
        if (text.length > maxCachedCharacters) return;
        documents.set(text, document);
        const [oldest = ''] = documents.keys();
        if (documents.size > maxCachedDocuments) documents.delete(oldest);
      },
    },
    // Whoever sends what cannot be parsed corrects it.
    errorCache: { get: () => undefined, set() {} },
  };
}
