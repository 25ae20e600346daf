/** values: hosts by the value of a fact, and how numbers are distributed. */
import type { FactCountQuestion } from '../../api/index/index-store.ts';
import { fact, isCommon, latestOf, type Question } from './question.ts';

const distribution = fact('os.distribution', 'text');
const counts = (asked: Partial<FactCountQuestion> & Pick<FactCountQuestion, 'of'>): FactCountQuestion => ({
  ...{ by: null, filter: null, asOf: null, limit: 100 },
  ...asked,
});
const countOf = (asOf?: number) =>
  `SELECT facts->>'distribution' AS value, count(*) AS hosts FROM (${latestOf('os', asOf)}) GROUP BY value ORDER BY hosts DESC`;

export const valueQuestions: readonly Question[] = [
  {
    name: 'hosts by the value of a fact',
    looksAt: 'hosts',
    ask: (index) => index.factCounts(counts({ of: distribution })),
    graphql: () => ({ query: '{ factCounts(path: "os.distribution") { value hosts } }' }),
    duckdb: () => countOf(),
  },
  {
    name: 'hosts by the value of a fact that is another for each',
    looksAt: 'hosts',
    ask: (index) => index.factCounts(counts({ of: fact('os.hostname', 'text') })),
  },
  {
    name: 'hosts by a version',
    looksAt: 'hosts',
    ask: (index) => index.factCounts(counts({ of: fact('os.kernel', 'version') })),
  },
  {
    name: 'hosts by an address in a list',
    looksAt: 'hosts',
    ask: (index) => index.factCounts(counts({ of: fact('network.interfaces.addresses.address', 'ip') })),
  },
  {
    name: 'hosts by the values of two facts',
    looksAt: 'hosts',
    ask: (index) => index.factCounts(counts({ of: distribution, by: fact('cpu.model', 'text') })),
    graphql: () => ({
      query:
        '{ factCounts(path: "os.distribution", by: "cpu.model") { value hosts groups { value hosts } } }',
    }),
  },
  {
    name: 'hosts with a common fact by the value of another',
    looksAt: 'hosts',
    ask: (index) => index.factCounts(counts({ of: fact('cpu.model', 'text'), filter: isCommon })),
  },
  {
    name: 'hosts by the value of a fact, at a moment in the past',
    looksAt: 'hosts',
    ask: (index, { instant }) => index.factCounts(counts({ of: distribution, asOf: instant() })),
    graphql: ({ instant }) => ({
      query: 'query ($asOf: DateTime!) { factCounts(path: "os.distribution", asOf: $asOf) { value hosts } }',
      variables: { asOf: new Date(instant()).toISOString() },
    }),
    duckdb: ({ instant }) => countOf(instant()),
  },
  {
    name: 'percentiles of a number',
    looksAt: 'hosts',
    ask: (index) =>
      index.factDistributions({ of: fact('cpu.threads', 'number'), by: null, filter: null, asOf: null }),
    graphql: () => ({ query: '{ factStats(path: "cpu.threads") { mean median: percentile(of: 50) } }' }),
    duckdb: () => `SELECT median(CAST(facts->>'threads' AS INT)) FROM (${latestOf('cpu')})`,
  },
];
