/** What a query may cost is bounded, however it is written. */
import { getIntrospectionQuery } from 'graphql';
import { beforeAll, expect, test } from 'vitest';
import { dataOf, openTestApi, type TestApi } from '../test/support/api.ts';
import { maxCost, maxDepth } from './query-cost.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});

const page = (first: number | string, reports: number | string) =>
  `hosts(first: ${first}) { nodes { reports(first: ${reports}) { nodes { id } } } }`;
const large = page(1000, 1000);

type Refused = [string, string, Record<string, unknown>?];
test.each<Refused>([
  ['pages in pages', `{ ${large} }`],
  ['a page size in a variable', `query ($n: Int!) { ${page('$n', '$n')} }`, { n: 1000 }],
  ['a page size that is a default', `query ($n: Int = 1000) { ${page('$n', '$n')} }`],
  ['pages of the usual size, of each of very many', `{ ${page(1000, 'null')} }`],
  ['a page from the end', '{ hosts(last: 1000) { nodes { changes(last: 1000) { nodes { path } } } } }'],
  [
    'more than a page may have',
    '{ hosts(first: 2147483647) { nodes { reports(last: 2147483647) { totalCount } } } }',
  ],
  [
    'fragments',
    `{ hosts(first: 1000) { ...F } } fragment F on HostConnection { nodes { ...G } }
    fragment G on Host { ... on Host { reports(first: 1000) { nodes { id } } } }`,
  ],
  [
    'many names for one thing',
    `{ ${Array.from({ length: 100 }, (_, n) => `a${n}: factCounts(path: "os.kernel") { hosts }`).join(' ')} }`,
  ],
  ['elements of lists', '{ hosts(first: 1000) { nodes { network { interfaces(first: 1000) { name } } } } }'],
  [
    'less than nothing elsewhere',
    `{ host(id: "0198f3a0-0000-7000-8000-000000000001") { network { interfaces(first: -2147483648) { name } } } ${large} }`,
  ],
  [
    'fragments within each other, twice each',
    `{ hosts { nodes { ...F0 } } } ${Array.from({ length: 7 }, (_, n) => `fragment F${n} on Host { a${n}: reports(first: 100) { nodes { id } } ${n < 6 ? `...F${n + 1} ...F${n + 1}` : ''} }`).join('\n')}`,
  ],
  [
    'a part that is not left out',
    `query ($yes: Boolean!) { a: ${large.replace(' {', ' @include(if: $yes) {')} plugins { name } }`,
    { yes: true },
  ],
  [
    'a mutation',
    `mutation { submitReport(input: {}) { report { host { reports(first: 1000) { nodes { host { changes(first: 1000) { totalCount } } } } } } } }`.replace(
      '{}',
      '{ host: { id: "0198f3a0-0000-7000-8000-000000000001", name: "a" }, collectedAt: "2026-05-01T00:00:00Z", results: [] }',
    ),
  ],
  [
    'a subscription',
    'subscription { reportSubmitted { host { reports(first: 1000) { nodes { changes(first: 1000) { totalCount } } } } } }',
  ],
  // The field alone would fail, and all else run.
  [
    'an argument that is null where none may be',
    `query ($p: String = "os.kernel") { factCounts(path: $p) { hosts } ${large} }`,
    { p: null },
  ],
])('%s cost too much', async (_name, query, variables) => {
  const { data, errors } = await api.ask(query, variables);
  expect(data ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  expect(errors?.[0]?.message).toMatch(
    variables?.p === null
      ? /^what the query may cost cannot be told: Argument "path" .* must not be null/
      : new RegExp(
          `^the query may cost \\d+, and at most ${maxCost} is allowed: take smaller pages, or select less`,
        ),
  );
});

/** Twice in turn, as a document is kept with what is known of it. */
test.each([
  ['a page size', `query ($v: Int!) { ${page('$v', '$v')} }`, 1000, 1],
  [
    'a page size within a fragment',
    `query ($v: Int!) { ...F } fragment F on Query { ${page('$v', 1000)} }`,
    1000,
    1,
  ],
  [
    'what is left out',
    `query ($v: Boolean!) { plugins { name } ... @include(if: $v) { ${large} } }`,
    true,
    false,
  ],
  [
    'what is skipped',
    `query ($v: Boolean!) { plugins { name } ...F @skip(if: $v) } fragment F on Query { ${large} }`,
    false,
    true,
  ],
])('%s is what the variables of this time say', async (_name, query, dear, cheap) => {
  for (const v of [cheap, dear, cheap, dear]) {
    const { errors } = await api.ask(query, { v });
    expect(errors?.length ?? 0).toBe(v === dear ? 1 : 0);
  }
});

test('what no variable changes costs too much each time, whatever is sent with it', async () => {
  const query = `mutation ($input: SubmitReportInput!) { submitReport(input: $input) { report { host {
    reports(first: 1000) { nodes { host { changes(first: 1000) { totalCount } } } } } } } }`;
  const host = { id: '0198f3a0-0000-7000-8000-000000000001', name: 'a' };
  for (const name of ['a', 'b']) {
    const input = { host: { ...host, name }, collectedAt: '2026-05-01T00:00:00Z', results: [] };
    const { errors } = await api.ask(query, { input });
    expect(errors).toMatchObject([{ extensions: { limit: maxCost } }]);
  }
  expect(await dataOf(api.ask('{ hosts { totalCount } }'))).toEqual({ hosts: { totalCount: 0 } });
});

test('nothing of a subscription that costs too much is begun', async () => {
  const response = await api.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query:
        'subscription { reportSubmitted { host { reports(first: 1000) { nodes { changes(first: 1000) { totalCount } } } } } }',
    }),
  });
  expect(await response.text()).toMatch(/"message":"the query may cost .*event: complete/s);
});

test.each<Refused>([
  [
    'a thousand hosts with all that is typed',
    '{ hosts(first: 1000) { totalCount nodes { name os { kernel } cpu { model threads } network { interfaces { name mac addresses { address } } } } } }',
  ],
  [
    'a page of hosts with reports and changes of each',
    '{ hosts { nodes { name reports(first: 20) { nodes { id results { plugin status } } } changes(first: 20) { nodes { path before after } } } } }',
  ],
  [
    'a part that is left out',
    `query ($no: Boolean = false) { ${large.replace(' {', ' @include(if: $no) {')} plugins { name } }`,
  ],
  [
    'a fragment that is skipped',
    `query ($yes: Boolean!) { plugins { name } ...F @skip(if: $yes) ... @include(if: false) { ${large} } } fragment F on Query { ${large} }`,
    { yes: true },
  ],
  ['what GraphiQL asks', getIntrospectionQuery()],
  [
    'all that can be asked of the schema',
    getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    }),
  ],
])('%s may be asked for', async (_name, query, variables) => {
  expect(await dataOf(api.ask(query, variables))).toBeTruthy();
});

test('depth: as deep as it may be, and one more', async () => {
  // Four levels each: reports, nodes, host and what is within.
  const nested = (levels: number, inner: string): string =>
    levels === 0 ? inner : `reports(first: 1) { nodes { host { ${nested(levels - 1, inner)} } } }`;
  const deep = (inner: string) => `{ hosts(first: 1) { nodes { ${nested(4, inner)} } } }`;
  expect((await api.ask(deep('id'))).errors).toBeUndefined();
  const { errors } = await api.ask(deep('network { interfaces { name } }'));
  expect(errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    depth: maxDepth + 1,
    limit: maxDepth,
  });
  expect(errors?.[0]?.message).toMatch(/^the query is 17 fields deep, and may be 16/);
});

test('values of the wrong kind are told as such, not as cost', async () => {
  const { errors } = await api.ask(`query ($n: Int) { ${page('$n', '$n')} }`, { n: 'many' });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: ['first'] });
});
