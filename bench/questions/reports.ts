/** reports: lists of reports in the order of time, pages deep in them, and counts. */
import { commonDistribution } from '../fleet.ts';
import { factsOf, isCommon, isRare, newestReports, pageSize, type Question } from './question.ts';

const hasCommon = `${factsOf('os')}->>'distribution' = '${commonDistribution}'`;

export const reportQuestions: readonly Question[] = [
  {
    name: 'newest 20 reports',
    looksAt: 'page',
    ask: (index) => newestReports(index, null),
    graphql: () => ({
      query: `{ reports(first: ${pageSize}) { nodes { id collectedAt host { id name } os { distribution kernel } } } }`,
    }),
    duckdb: () => `SELECT * FROM reports ORDER BY collectedAt DESC LIMIT ${pageSize}`,
  },
  {
    name: 'newest 20 reports, by the time received',
    looksAt: 'page',
    ask: (index) => newestReports(index, null, undefined, 'RECEIVED_AT'),
  },
  {
    name: 'newest 20 reports of a host',
    looksAt: 'page',
    ask: (index, { hostId }) =>
      newestReports(index, { kind: 'field', field: 'host', tests: [{ op: 'eq', value: hostId() }] }),
    duckdb: ({ hostId }) =>
      `SELECT * FROM reports WHERE host.id = '${hostId()}' ORDER BY collectedAt DESC LIMIT ${pageSize}`,
  },
  {
    name: 'newest 3 reports of each of 50 hosts',
    looksAt: 'page',
    ask: (index, { hostId }) =>
      index.reportsOfHosts(
        Array.from({ length: 50 }, hostId),
        { filter: null, order: { field: 'COLLECTED_AT', direction: 'DESC' } },
        { limit: 3 },
      ),
  },
  {
    name: 'a page deep in all reports',
    looksAt: 'page',
    ask: (index, { instant }) => newestReports(index, null, instant()),
  },
  {
    name: 'a page deep in those with a common fact',
    looksAt: 'page',
    ask: (index, { instant }) => newestReports(index, isCommon, instant()),
  },
  {
    name: 'a page deep in those with a rare fact',
    looksAt: 'page',
    ask: (index, { instant }) => newestReports(index, isRare, instant()),
  },
  {
    name: 'count of all reports',
    looksAt: 'all',
    ask: (index) => index.countReports(null),
    duckdb: () => 'SELECT count(*) FROM reports',
  },
  {
    name: 'count of the reports with a common fact',
    looksAt: 'all',
    ask: (index) => index.countReports(isCommon),
    duckdb: () => `SELECT count(*) FROM reports WHERE ${hasCommon}`,
  },
  {
    name: 'reports by day',
    looksAt: 'all',
    ask: (index) => index.reportCounts(null, 'DAY'),
    duckdb: () => `SELECT date_trunc('day', collectedAt) AS day, count(*) FROM reports GROUP BY day`,
  },
  {
    name: 'reports with a common fact by day',
    looksAt: 'all',
    ask: (index) => index.reportCounts(isCommon, 'DAY'),
  },
];
