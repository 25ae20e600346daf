/**
 * truncated: marks an answer in which lists were cut short, under `extensions.truncated`.
 *
 * Only where the client has not said how many it wants: then it may not know that there are more.
 */
import type { Plugin } from 'graphql-yoga';
import type { ApiContext } from './context.ts';

export type Truncated = { path: (string | number)[]; shown: number; of: number };

/** Whoever sees so many knows what to do. */
const mostTold = 100;

type Result = { extensions?: Record<string, unknown> };

export function useTruncated(): Plugin<ApiContext> {
  const marked = <R extends Result>(result: R, { truncated }: ApiContext): R => {
    if (truncated.length === 0) return result;
    const told = truncated.splice(0).slice(0, mostTold);
    return { ...result, extensions: { ...result.extensions, truncated: told } };
  };
  return {
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        if (!(Symbol.asyncIterator in result)) setResult(marked(result, args.contextValue));
      },
    }),
    onSubscribe: ({ args }) => ({
      onSubscribeResult: () => ({
        onNext: ({ result, setResult }) => setResult(marked(result, args.contextValue)),
      }),
    }),
  };
}
