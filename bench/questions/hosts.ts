/** hosts: one of them, lists and counts of them, now and at a moment in the past. */
import { withStatus } from '../../api/schema/host-status.ts';
import { fact, hostsByName, isCommon, isRare, latestOf, pageSize, type Question } from './question.ts';

const isHere = withStatus(['ONLINE', 'LATE'], 0);

export const hostQuestions: readonly Question[] = [
  {
    name: 'one host with all plugins',
    looksAt: 'page',
    async ask(index, { hostId }) {
      const id = hostId();
      await Promise.all([index.hostsById([id]), index.latestResults([id], null)]);
    },
    graphql: ({ hostId }) => ({
      query: `query ($id: UUID!) {
        host(id: $id) {
          id name status lastSeenAt labels
          cpu { model vendor threads } user { name accounts { name } } os { distribution kernel bootedAt }
          network { primaryAddress interfaces { name mac addresses { address } } }
        }
      }`,
      variables: { id: hostId() },
    }),
    duckdb: ({ hostId }) =>
      `SELECT * FROM reports WHERE host.id = '${hostId()}' ORDER BY collectedAt DESC LIMIT 1`,
  },
  {
    name: 'latest facts of 20 hosts',
    looksAt: 'page',
    ask: (index, { hostId }) => index.latestResults(Array.from({ length: pageSize }, hostId), null),
  },
  {
    name: 'latest facts of 20 hosts, at a moment in the past',
    looksAt: 'page',
    ask: (index, { hostId, instant }) =>
      index.latestResults(Array.from({ length: pageSize }, hostId), instant()),
  },
  { name: 'first 20 hosts', looksAt: 'page', ask: (index) => hostsByName(index, null) },
  {
    name: 'first 20 hosts that are not offline',
    looksAt: 'page',
    ask: (index) => hostsByName(index, isHere),
  },
  {
    name: 'first 20 hosts that changed in the last hour',
    looksAt: 'page',
    ask: (index, { latest }) => hostsByName(index, { kind: 'changed', since: latest() - 3_600_000 }),
  },
  {
    name: 'count of the hosts with a common fact',
    looksAt: 'hosts',
    ask: (index) => index.countHosts({ filter: isCommon, asOf: null }),
  },
  {
    name: 'count of the hosts that are not offline',
    looksAt: 'hosts',
    ask: (index) => index.countHosts({ filter: isHere, asOf: null }),
  },
  {
    name: 'first 20 hosts in the order of a fact',
    looksAt: 'hosts',
    ask: (index) =>
      index.hosts(
        {
          filter: null,
          asOf: null,
          order: { field: 'FACT', direction: 'ASC', fact: fact('os.kernel', 'version') },
        },
        { limit: pageSize },
      ),
  },
  {
    name: 'first 20 hosts, at a moment in the past',
    looksAt: 'hosts',
    ask: (index, { instant }) => hostsByName(index, null, instant()),
    graphql: ({ instant }) => ({
      query: `query ($asOf: DateTime!) {
        hosts(first: ${pageSize}, asOf: $asOf) { nodes { id name lastSeenAt os { distribution kernel } } }
      }`,
      variables: { asOf: new Date(instant()).toISOString() },
    }),
    duckdb: ({ instant }) => `SELECT * FROM (${latestOf('os', instant())}) ORDER BY name LIMIT ${pageSize}`,
  },
  {
    name: 'first 20 hosts with a common fact, at a moment in the past',
    looksAt: 'hosts',
    ask: (index, { instant }) => hostsByName(index, isCommon, instant()),
    graphql: ({ instant }) => ({
      query: `query ($asOf: DateTime!) {
        hosts(first: ${pageSize}, asOf: $asOf, filter: { os: { distribution: { eq: "Debian GNU/Linux" } } }) {
          nodes { id name lastSeenAt os { distribution kernel } } totalCount
        }
      }`,
      variables: { asOf: new Date(instant()).toISOString() },
    }),
  },
  {
    name: 'first 20 hosts with a rare fact, at a moment in the past',
    looksAt: 'hosts',
    ask: (index, { instant }) => hostsByName(index, isRare, instant()),
  },
  {
    name: 'count of the hosts, at a moment in the past',
    looksAt: 'hosts',
    ask: (index, { instant }) => index.countHosts({ filter: null, asOf: instant() }),
  },
  {
    name: 'count of the hosts with a common fact, at a moment in the past',
    looksAt: 'hosts',
    ask: (index, { instant }) => index.countHosts({ filter: isCommon, asOf: instant() }),
  },
  {
    name: 'first 20 hosts by when they were last seen, at a moment in the past',
    looksAt: 'hosts',
    ask: (index, { instant }) =>
      index.hosts(
        { filter: null, asOf: instant(), order: { field: 'LAST_SEEN_AT', direction: 'DESC' } },
        { limit: pageSize },
      ),
  },
];
