/** forbidden: tells whoever asks that they may not, and what it would take; with the stable code FORBIDDEN. */
import { GraphQLError } from 'graphql';
import { type InputPath, pathText } from '../schema/input-error.ts';

export type ForbiddenOptions = {
  /** Where what may not be is, from the arguments on. @default none: it is the question itself */
  path?: InputPath;
  /** What else clients may want to act on. */
  more?: Record<string, unknown>;
};

export function forbidden(message: string, { path = [], more = {} }: ForbiddenOptions = {}): GraphQLError {
  return new GraphQLError(path.length > 0 ? `${pathText(path)}: ${message}` : message, {
    extensions: { code: 'FORBIDDEN', path: [...path], ...more },
  });
}

export function isForbidden(cause: unknown): cause is GraphQLError {
  return cause instanceof GraphQLError && cause.extensions.code === 'FORBIDDEN';
}
