import type { IncomingMessage } from 'node:http';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { openInFlight } from './in-flight.ts';
import { useQueryGate } from './query-gate.ts';

/** Each query waits until it is let. */
function openGate(maxInFlight: number) {
  const letting = Promise.withResolvers<string>();
  const schema: GraphQLSchema = buildSchema(
    'type Query { wait: String fail: String } type Mutation { now: String }',
  );
  const { wait } = schema.getQueryType()?.getFields() ?? {};
  if (wait) wait.resolve = () => letting.promise;
  const inFlight = openInFlight({ maxInFlight, turnMs: () => 0, random: () => 0 });
  const server = createYoga({ schema, plugins: [useQueryGate(inFlight)], logging: false });
  const ask = async (query: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await server.fetch('http://api.test/graphql', {
      method: 'POST',
      headers,
      body: JSON.stringify({ query }),
    });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      ...(await response.json()),
    };
  };
  return { ask, letGo: () => letting.resolve('done'), inFlight };
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 0));

test.each([
  ['a share of what may be in flight', 320, 0, 10],
  ['at least a few', 10, 0, 4],
  ['only a few once half of it is', 320, 161, 4],
])('as many queries run at once as may: %s', async (_what, maxInFlight, working, most) => {
  const { ask, letGo, inFlight } = openGate(maxInFlight);
  for (let number = 0; number < working; number += 1) inFlight.take({} as IncomingMessage, true);
  const running = Array.from({ length: most }, () => ask('{ wait }'));
  await turns();
  const refused = await ask('{ wait }');
  expect(refused).toMatchObject({
    status: 503,
    retryAfter: '5',
    errors: [
      {
        message: `the API is busy with ${most} other queries: ask again in 5 s`,
        extensions: { code: 'UNAVAILABLE', retryAfter: 5 },
      },
    ],
  });
  expect(await ask('mutation { now }')).toMatchObject({ status: 200, data: { now: null } });
  letGo();
  for (const one of await Promise.all(running))
    expect(one).toMatchObject({ status: 200, data: { wait: 'done' } });
  expect(await ask('{ wait }')).toMatchObject({ status: 200, data: { wait: 'done' } });
});
