/**
 * single-operation: one operation in a request, with its text: no array of them, no hash instead.
 *
 * Several in one request would count as one to every limit here. What is to be one request has a mutation of its own,
 * `submitReports`, and several fields in one query.
 */
import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';

export function useSingleOperation(): Plugin {
  return {
    onRequestParse: () => ({
      onRequestParseDone({ requestParserResult }) {
        if (Array.isArray(requestParserResult)) {
          throw refusal('send one operation in a request, as an object: several reports go by submitReports');
        }
        if (isHashOnly(requestParserResult)) {
          throw refusal('persisted queries are not known here: send the query itself');
        }
      },
    }),
  };
}

function isHashOnly({ query, extensions }: GraphQLParams): boolean {
  return !query && extensions?.persistedQuery !== undefined;
}

function refusal(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
}
