/**
 * typed-client: what changed on the fleet lately, with types that follow from the query's own text (gql.tada).
 *
 * They come from schema.d.ts, which `npm run generate` makes of the schema: a field that is not there is an error of `tsc`,
 * and no code is generated for a query.
 *
 * node examples/typed-client.ts [days]
 */

import { initGraphQLTada, type ResultOf } from 'gql.tada';
import { GraphQLClient } from 'graphql-request';
import type { introspection } from './schema.d.ts';

const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { DateTime: string; JSON: unknown; Labels: Record<string, string>; SafeInt: number; UUID: string };
}>();

const recentChanges = graphql(`
  query RecentChanges($since: DateTime!, $after: String) {
    changes(first: 100, after: $after, filter: { between: { start: $since } }) {
      nodes {
        at
        host { name os { distribution kernel } }
        path
        keys
        before
        after
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const client = new GraphQLClient(process.env.OS_INSPECTOR_URL || 'http://127.0.0.1:4000/graphql');
const days = Number(process.argv[2] ?? 7);
const since = new Date(Date.now() - days * 24 * 60 * 60 * 1000).toISOString();

let count = 0;
let after: string | null = null;
do {
  // The type of `changes` is the query's; variables that are missing or of another type are errors as well.
  const { changes }: ResultOf<typeof recentChanges> = await client.request(recentChanges, { since, after });
  for (const change of changes.nodes) {
    const { name, os } = change.host;
    const place = [change.path, ...change.keys].join(' ');
    const [before, now] = [change.before, change.after].map((value) => JSON.stringify(value));
    console.log([change.at, name, os?.kernel ?? 'unknown', place, `${before} -> ${now}`].join('\t'));
    count += 1;
  }
  after = changes.pageInfo.hasNextPage ? changes.pageInfo.endCursor : null;
} while (after !== null);
console.log(`${count} changes`);
