/** No query makes the index answer once for each row: as many statements for thirty hosts as for three. */
import { join } from 'node:path';
import { graphql } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { dataOf, openTestApi, submitMutation } from '../../test/support/api.ts';
import { type CountedIndex, openCountedIndex } from '../../test/support/counted-index.ts';
import { hostId, result } from '../../test/support/reports.ts';
import { everyone, type Identity } from '../auth/identity.ts';
import { makeContext } from '../context.ts';
import { buildSchema } from './schema.ts';

const hosts = 30;
let counted: CountedIndex;
let askAs: (
  identity: Identity,
  query: string,
  variables: Record<string, unknown>,
) => Promise<{ statements: number; rows: number }>;

beforeAll(async () => {
  const api = await openTestApi();
  for (let hour = 0; hour < 4; hour += 1) {
    await Promise.all(
      Array.from({ length: hosts }, (_, number) => {
        const input = {
          host: { id: hostId(number), name: `web-${number}`, labels: { rack: `r${number % 3}`, site: 'x' } },
          collectedAt: `2026-05-01T0${hour}:00:00Z`,
          results: [
            result('os', { kernel: `6.${hour}.${number}`, hostname: `web-${number}` }),
            result('cpu', { model: 'EPYC', threads: 8 + hour }),
            result('rack', { row: number }),
          ],
        };
        return dataOf(api.ask(submitMutation, { input }));
      }),
    );
  }
  counted = openCountedIndex(join(api.folder, 'index.db'));
  const plugins = await loadBuiltinPlugins();
  const schema = buildSchema(plugins);
  const services = {
    index: { ...counted.index, forRequest: () => counted.index },
    queryTimeoutMs: 60_000,
    plugins,
    now: () => Date.parse('2026-05-02T00:00:00Z'),
    makeId: () => hostId(1),
    intake: { submit: () => Promise.reject(new Error('nothing is submitted here')) },
  };
  askAs = async (identity, source, variableValues) => {
    const before = counted.statements();
    const contextValue = makeContext(services as never, { signal: new AbortController().signal }, identity);
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue });
    expect(errors).toBeUndefined();
    const rows = JSON.stringify(data).split('"id"').length;
    return { statements: counted.statements() - before, rows };
  };
  return () => counted.close();
});

const facts = 'os { kernel } cpu { threads } facts(plugin: "rack")';
const reports = `reports(first: 3, filter: { os: { kernel: { gte: "6" } } }) {
  totalCount pageInfo { hasNextPage hasPreviousPage }
  nodes { id host { id name labels } ${facts} results { plugin } changes { totalCount nodes { path report { id } host { id } } } }
}`;

/** All hosts are within. */
const narrowed: Identity = { ...everyone, narrowedTo: { hostId: null, labels: { site: 'x' } } };

describe.each([
  ['everyone', everyone, 30],
  ['an identity that is narrowed', narrowed, 40],
])('to %s', (_who, identity, most) => {
  const ask = (query: string, variables: Record<string, unknown>) => askAs(identity, query, variables);

  test.each([
    ['hosts with their reports', `hosts(first: $first) { totalCount nodes { id ${facts} ${reports} } }`],
    [
      'hosts with their changes',
      `hosts(first: $first) { nodes { id changes(first: 5) { totalCount nodes { path before after report { id } host { id } } } } }`,
    ],
    [
      'hosts at a moment in the past',
      `hosts(first: $first, asOf: "2026-05-01T01:30:00Z") { nodes { id name status ${facts} reportAt(time: "2026-05-01T02:30:00Z") { id } } }`,
    ],
    ['reports with their hosts', `reports(first: $first) { nodes { id host { id ${facts} } ${facts} } }`],
    [
      'pages from the end, with cursors and counts of each',
      `hosts(last: $first, orderBy: { fact: "os.kernel" }) { edges { cursor node { id labels status reports(last: 2, orderBy: { field: RECEIVED_AT }) { totalCount edges { cursor node { id } } pageInfo { hasNextPage } } changes(last: 2, filter: { initial: true }) { totalCount nodes { path } pageInfo { hasNextPage } } } } }`,
    ],
    [
      'reports with what each plugin gave, and what changed',
      `reports(first: $first) { nodes { id results { plugin status facts readings problems { path } } changes(first: 3, filter: { path: "os.kernel" }) { totalCount nodes { path after host { id name } } } host { id reportAt(time: "2026-05-01T01:30:00Z") { id os { kernel } } } } }`,
    ],
    ['changes', `changes(first: $first) { nodes { path report { id ${facts} } host { id ${facts} } } }`],
  ])('%s', async (_name, selection) => {
    const query = `query ($first: Int!) { ${selection} }`;
    const [few, many] = [await ask(query, { first: 3 }), await ask(query, { first: hosts })];
    expect(many.rows).toBeGreaterThan(few.rows * 5);
    // Facts are read a hundred at a time, so that there is a bound on how much they are.
    expect(many.statements).toBeLessThanOrEqual(few.statements + Math.ceil((3 * many.rows) / 100));

    expect(many.statements).toBeLessThan(most);
  });

  test.each([
    [
      'counts',
      'factCounts(path: "os.kernel", by: "rack.row", first: $first) { value hosts groups { value hosts } }',
    ],
    [
      'counts in the past',
      'factCounts(path: "os.kernel", by: "cpu.threads", first: $first, asOf: "2026-05-01T01:30:00Z") { value groups { value } }',
    ],
  ])('%s by a second fact take as many statements for one value as for all', async (_name, selection) => {
    const query = `query ($first: Int!) { ${selection} }`;
    const [one, all] = [await ask(query, { first: 1 }), await ask(query, { first: hosts })];
    expect(all.statements).toBe(one.statements);

    expect(all.statements).toBeLessThan(12);
  });
});
