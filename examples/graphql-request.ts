/**
 * graphql-request: lists every host of the fleet, page by page, with a small typed client.
 *
 * node examples/graphql-request.ts [hosts per page]
 */
import { GraphQLClient, gql } from 'graphql-request';

type Host = {
  name: string;
  lastSeenAt: string;
  /** Null when no report of this host told it. */
  os: { distribution: string | null; version: string | null } | null;
};
type HostsPage = {
  hosts: { totalCount: number; nodes: Host[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
};

const hostsPage = gql`
  query HostsPage($first: Int!, $after: String) {
    hosts(first: $first, after: $after, orderBy: { field: NAME, direction: ASC }) {
      totalCount
      nodes { name lastSeenAt os { distribution version } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

const client = new GraphQLClient(process.env.OS_INSPECTOR_URL || 'http://127.0.0.1:4000/graphql');
const pageSize = Number(process.argv[2] ?? 100);

let count = 0;
for await (const { name, os, lastSeenAt } of allHosts(pageSize)) {
  console.log([name, os?.distribution ?? 'unknown', os?.version ?? '', lastSeenAt].join('\t'));
  count += 1;
}
console.log(`${count} hosts`);

/** Every host, asked for as it is needed. */
async function* allHosts(first: number): AsyncGenerator<Host> {
  let after: string | null = null;
  do {
    const { hosts }: HostsPage = await client.request<HostsPage>(hostsPage, { first, after });
    yield* hosts.nodes;
    after = hosts.pageInfo.hasNextPage ? hosts.pageInfo.endCursor : null;
  } while (after !== null);
}
