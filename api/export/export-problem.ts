/** export-problem: tells why there is no file, in the words and with the codes of GraphQL, and with a status. */
import { GraphQLError } from 'graphql';
import { didYouMean } from '../../plugins/did-you-mean.ts';
import { maskError } from '../error-codes.ts';

/** An export may be done by then, or another API have taken the place of one that stops. */
const retrySeconds = 10;

const statuses: Readonly<Record<string, number>> = {
  BAD_USER_INPUT: 400,
  FORBIDDEN: 403,
  UNAVAILABLE: 503,
  QUERY_TIMEOUT: 504,
};

/** @param onBug told of what is not the client's fault, nor that of the stores */
export function problem(cause: unknown, onBug: (cause: unknown) => void): Response {
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  const errors = causes.map(toGraphqlError);
  const { code, retryAfter } = errors[0]?.extensions ?? {};
  const status = statuses[String(code)] ?? 500;
  if (status === 500) onBug(cause);
  const headers = typeof retryAfter === 'number' ? { 'retry-after': String(retryAfter) } : undefined;
  return errorResponse(status, errors, headers);
}

function toGraphqlError(cause: unknown): GraphQLError {
  const error = maskError(cause, 'internal error');
  return error instanceof GraphQLError ? error : new GraphQLError(error.message);
}

export function unavailable(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'UNAVAILABLE', retryAfter: retrySeconds } });
}

/** @param paths what there is */
export function notFound({ pathname }: URL, paths: readonly string[]): Response {
  const hint = didYouMean(pathname, paths) ?? `there are ${paths.join(', ')}`;
  const error = new GraphQLError(`no ${pathname} here: ${hint}`, { extensions: { code: 'NOT_FOUND' } });
  return errorResponse(404, [error]);
}

export function notAllowed({ method }: Request): Response {
  const message = `${method} is not answered here: use GET, with the filter as JSON in ?filter=`;
  const error = new GraphQLError(message, { extensions: { code: 'METHOD_NOT_ALLOWED' } });
  return errorResponse(405, [error], { allow: 'GET, HEAD' });
}

function errorResponse(
  status: number,
  errors: readonly GraphQLError[],
  headers: Record<string, string> = {},
): Response {
  const body = { errors: errors.map(({ message, extensions }) => ({ message, extensions })) };
  return Response.json(body, { status, headers });
}
