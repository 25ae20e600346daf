/**
 * use-audit: who asked what, for the audit log: the names of fields and the hash of the document, never its values.
 *
 * Reports are not told of: a fleet sends them each minute, and each of them is in the bucket. Nor is what everyone asks
 * where nobody has to say who they are.
 */
import { createHash } from 'node:crypto';
import { type DocumentNode, getOperationAST, print } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ApiContext } from '../context.ts';
import { rootFieldsOf } from './root-fields.ts';

const submissions = ['submitReport', 'submitReports', '__typename'];

export function useAudit(): Plugin<ApiContext> {
  /** Of documents that are kept parsed: clients ask the same ones again and again. */
  const hashes = new WeakMap<DocumentNode, string>();

  function tell(document: DocumentNode, name: string | null | undefined, context: ApiContext): void {
    const { identity, services } = context;
    const operation = getOperationAST(document, name);
    if (identity.kind === 'everyone' || !operation) return;
    const fields = rootFieldsOf(document, operation);
    if (fields.every((field) => submissions.includes(field))) return;
    const hash = hashes.get(document) ?? createHash('sha256').update(print(document)).digest('base64url');
    hashes.set(document, hash);
    services.audit('operation', identity, { type: operation.operation, fields, document: hash });
  }

  return {
    onExecute: ({ args }) => tell(args.document, args.operationName, args.contextValue),
    onSubscribe: ({ args }) => tell(args.document, args.operationName, args.contextValue),
  };
}
