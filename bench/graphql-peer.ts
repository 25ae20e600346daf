/** graphql-peer: the whole API over an index that is there, asked without a socket. */
import { pino } from 'pino';
import { buildSchema } from '../api/schema/schema.ts';
import { openService } from '../api/service.ts';
import { loadBuiltinPlugins } from '../plugins/index.ts';
import type { FilledIndex } from './filled-index.ts';
import type { GraphqlQuestion } from './questions/question.ts';
import { openStore } from './servers.ts';

export type GraphqlPeer = {
  /** Resolves once the answer is there as text. @throws Error when it tells of errors */
  ask(question: GraphqlQuestion): Promise<void>;
  /** Closes the index as well. */
  close(): Promise<void>;
};

export async function openGraphqlPeer({ store, env }: FilledIndex): Promise<GraphqlPeer> {
  const plugins = await loadBuiltinPlugins();
  const service = await openService({
    bucket: await openStore(env),
    index: store,
    schema: buildSchema(plugins),
    plugins,
    logger: pino({ enabled: false }),
  });
  return {
    async ask(question) {
      const response = await service.server.fetch('http://api.test/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(question),
      });
      const answer = await response.text();
      if (answer.includes('"errors"')) throw new Error(`answered ${answer.slice(0, 2000)}`);
    },
    close: service.close,
  };
}
