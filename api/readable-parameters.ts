/** readable-parameters: what stands in the address of a query must be JSON; that it is not is no bug of ours. */
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

export function useReadableParameters(): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser }) {
      if (!requestParser) return;
      setRequestParser(async (request) => {
        try {
          return await requestParser(request);
        } catch (cause) {
          if (!(cause instanceof SyntaxError)) throw cause;
          throw new GraphQLError('variables and extensions in an address must be JSON', {
            extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
          });
        }
      });
    },
  };
}
