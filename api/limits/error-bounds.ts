/**
 * error-bounds: how many errors one answer tells, and how long each is.
 *
 * A field that fails does so in each row of a page, and messages repeat the value that is wrong.
 */
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Whoever has corrected so many asks again. */
export const maxErrors = 100;
export const maxMessageLength = 2_000;

/** To stand before what gives errors their codes. */
export function useErrorBounds(): Plugin {
  return {
    onResultProcess({ result, setResult }) {
      if (Symbol.asyncIterator in result || Array.isArray(result)) return;
      const { errors } = result;
      if (!errors) return;
      for (const error of errors) error.message = clipped(error.message);
      if (errors.length > maxErrors) setResult({ ...result, errors: shortened(errors) });
    },
  };
}

function shortened(errors: readonly GraphQLError[]): GraphQLError[] {
  const more = errors.length - maxErrors;
  const message = `and ${more} more errors, which are not told: correct these first`;
  return [
    ...errors.slice(0, maxErrors),
    new GraphQLError(message, { extensions: { code: 'TOO_MANY_ERRORS', errors: errors.length } }),
  ];
}

function clipped(message: string): string {
  if (message.length <= maxMessageLength) return message;
  return `${message.slice(0, maxMessageLength)}… (${message.length} characters)`;
}
