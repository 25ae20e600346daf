/**
 * hidden-suggestions: for a schema that is not to be told: errors would spell out, guess by guess, what is in it.
 *
 * Whoever refuses something adds the question at the end: validation, and what reads the values of variables.
 */
import type { Plugin } from 'graphql-yoga';

const suggestion = / Did you mean [^?]*\?/g;

export function useHiddenSuggestions(): Plugin {
  return {
    onResultProcess({ result }) {
      if (Symbol.asyncIterator in result || Array.isArray(result)) return;
      for (const error of result.errors ?? []) error.message = error.message.replace(suggestion, '');
    },
  };
}
