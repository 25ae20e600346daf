/** input-error: tells a client what is wrong with what it sent, and where. */
import { type ASTNode, GraphQLError } from 'graphql';

export type InputPath = readonly (string | number)[];

/**
 * An error with the stable code BAD_USER_INPUT; `extensions.path` leads to the value from the arguments on, and is empty
 * where it is the query as a whole.
 *
 * @param node where in the query's text it is, when the resolver's own place does not say
 */
export function inputError(path: InputPath, message: string, node?: ASTNode): GraphQLError {
  return new GraphQLError(path.length > 0 ? `${pathText(path)}: ${message}` : message, {
    nodes: node ?? null,
    extensions: { code: 'BAD_USER_INPUT', path: [...path] },
  });
}

/** `input.results[2].plugin` */
export function pathText(path: InputPath): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}
