/** What a client may ask for in one request is bounded, with a document that just passes and one that just fails. */
import { parse } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTestApi, type TestApi } from '../../test/support/api.ts';
import { maxRangeLength } from '../schema/comparison.ts';
import { maxTextLength } from '../schema/filter-bounds.ts';
import { type DocumentBound, documentBounds, refusalOf } from './document-bounds.ts';
import { maxMessageLength } from './error-bounds.ts';
import { maxQueryVariables, maxVariableDepth } from './variable-bounds.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});

const times = (count: number, each: (number: number) => string) =>
  Array.from({ length: count }, (_, number) => each(number)).join(' ');
const fill = (count: number) => '#'.repeat(count);

type Sized = (size: number) => string;
const documents: [DocumentBound, Sized][] = [
  ['characters', (size) => `{ __typename } ${fill(size - 15)}`],
  ['operations', (size) => times(size, (number) => `query Q${number} { __typename }`)],
  [
    'fields',
    (size) =>
      `{ ${times(50, (number) => `a${number}: plugins { ${times(19, () => 'name')} }`)} ${times(size - 1000, () => '__typename')} }`,
  ],
  // One field each, and as many fragments in fragments.
  [
    'fields',
    (size) =>
      `{ plugins { ...A } } fragment A on Plugin { ${times(size / 10 - 1, () => '...B')} ${times(9 + (size % 10), () => 'name')} }
       fragment B on Plugin { ${times(10, () => 'name')} }`,
  ],
  ['rootFields', (size) => `{ ${times(size, () => '__typename')} }`],
  [
    'rootFields',
    (size) => `{ ... { ${times(size - 1, () => '__typename')} } ...R } fragment R on Query { __typename }`,
  ],
  ['aliases', (size) => `{ plugins { ${times(size, (number) => `a${number}: name`)} } }`],
  ['directives', (size) => `{ ${times(size, () => '... @include(if: true) { __typename }')} }`],
  ['introspections', (size) => `{ ${times(size, () => '__schema { description }')} }`],
  [
    'introspectionAliases',
    (size) => `{ __schema { types { ${times(size, (number) => `a${number}: name`)} } } }`,
  ],
];

test.each(documents)('%s: as many as there may be, and one more', async (bound, documentOf) => {
  const { most, hint } = documentBounds[bound];
  const operationName = bound === 'operations' ? 'Q0' : undefined;
  const ask = async (query: string) => {
    const body = JSON.stringify({ query, operationName });
    const headers = { 'content-type': 'application/json' };
    return (await api.fetch('/graphql', { method: 'POST', headers, body })).json();
  };
  expect((await ask(documentOf(most))).errors).toBeUndefined();
  const { data, errors } = await ask(documentOf(most + 1));
  expect(data ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  expect(errors[0].extensions).toEqual({ code: 'BAD_USER_INPUT', path: [], bound, limit: most });
  expect(errors[0].message).toMatch(new RegExp(`^the document has ${most + 1} .*, and may have ${most}: `));
  expect(errors[0].message).toContain(hint);
});

test('a document that is refused is refused again, and by GET as well', async () => {
  const [, documentOf] = documents[4] as [DocumentBound, Sized];
  const path = `/graphql?query=${encodeURIComponent(documentOf(101))}`;
  for (const _ of [1, 2]) {
    const { errors } = await (await api.fetch(path)).json();
    expect(errors).toMatchObject([{ extensions: { bound: 'rootFields' } }]);
  }
});

test('fields that are repeated so often that comparing them would take long are refused with a hint', async () => {
  const { errors } = await api.ask(`{ plugins { ${times(990, () => 'name')} } }`);
  expect(errors).toMatchObject([
    {
      message: 'the document repeats too many fields to compare them with each other: ask for each once',
      extensions: { code: 'BAD_USER_INPUT', path: [] },
    },
  ]);
});

test('fragments in fragments multiply, and those in circles end', () => {
  const doubling = times(
    100,
    (number) => `fragment F${number} on Plugin { ...F${number + 1} ...F${number + 1} }`,
  );
  const document = parse(`{ plugins { ...F0 } } ${doubling} fragment F100 on Plugin { name }`);
  expect(refusalOf(document)?.message).toMatch(/^the document has 1\.26\d+e\+30 fields, and may have 1000/);
  const circle = 'fragment A on Plugin { ...B name } fragment B on Plugin { ...A name }';
  expect(refusalOf(parse(`{ plugins { ...A } } ${circle}`))).toBeNull();
});

describe('what graphql and Yoga bound themselves', () => {
  test.each([
    [
      'lists in lists of the schema',
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
      /Maximum introspection depth exceeded/,
    ],
    [
      'circles of fragments',
      '{ plugins { ...A } } fragment A on Plugin { ...B } fragment B on Plugin { ...A }',
      /Cannot spread fragment "A" within itself via "B"/,
    ],
    ['@defer', '{ ... @defer { plugins { name } } }', /Unknown directive "@defer"/],
    ['@stream', '{ plugins @stream { name } }', /Unknown directive "@stream"/],
    [
      'a directive twice in one place',
      '{ plugins @include(if: true) @include(if: true) { name } }',
      /"@include" can only be used once/,
    ],
  ])('%s', async (_what, query, message) => {
    const { data, errors } = await api.ask(query);
    expect(data).toBeUndefined();
    expect(errors?.[0]).toMatchObject({
      message: expect.stringMatching(message),
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    });
  });

  test('tokens: an error says so', async () => {
    const { errors } = await api.ask(`{ ${times(5_000, () => '__typename')} }`);
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('5000 tokens'),
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
    });
  });

  test('a mutation by GET', async () => {
    const response = await api.fetch('/graphql?query=mutation{submitReports(inputs:[]){error{code}}}');
    expect(response.status).toBe(405);
  });
});

test.each<[string, unknown, RegExp]>([
  ['several operations', [{ query: '{ __typename }' }], /^send one operation in a request/],
  ['no operations', [], /^send one operation in a request/],
  [
    'a hash instead of a query',
    { extensions: { persistedQuery: { version: 1, sha256Hash: 'ab' } } },
    /^persisted queries are not known here: send the query itself/,
  ],
])('%s in one request', async (_what, body, message) => {
  const headers = { 'content-type': 'application/json' };
  const response = await api.fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.status).toBe(400);
  const { errors } = await response.json();
  expect(errors).toEqual([{ message: expect.stringMatching(message), extensions: { code: 'BAD_REQUEST' } }]);
});

test('a hash by GET', async () => {
  const extensions = encodeURIComponent('{"persistedQuery":{"version":1,"sha256Hash":"ab"}}');
  const response = await api.fetch(`/graphql?extensions=${extensions}`);
  expect(response.status).toBe(400);
});

describe('variables', () => {
  const count = 'query ($in: [String!]) { hosts(filter: { name: { in: $in } }) { totalCount } }';

  test('as many characters as a query may have, and more', async () => {
    const names = (characters: number) => ({ in: ['x'.repeat(9_000)], pad: 'x'.repeat(characters - 9_009) });
    expect((await api.ask(count, names(maxQueryVariables))).errors).toBeUndefined();
    const { errors } = await api.ask(count, names(maxQueryVariables + 1));
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/ask in several parts$/),
        extensions: { code: 'BAD_USER_INPUT', limit: maxQueryVariables },
      },
    ]);
  });

  test('reports may be larger', async () => {
    const facts = { text: 'x'.repeat(maxQueryVariables + 1) };
    const input = {
      host: { id: crypto.randomUUID(), name: 'a' },
      collectedAt: '2026-05-01T00:00:00Z',
      results: [{ plugin: 'p', status: 'OK', facts }],
    };
    const { errors } = await api.ask(
      'mutation ($input: SubmitReportInput!) { submitReport(input: $input) { duplicate } }',
      { input },
    );
    expect(errors).toBeUndefined();
  });

  test('as deep as they may be nested, and one level more', async () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect((await api.ask('{ __typename }', { deep: nested(maxVariableDepth - 1) })).errors).toBeUndefined();
    const { errors } = await api.ask('{ __typename }', { deep: nested(maxVariableDepth) });
    expect(errors).toMatchObject([
      {
        message: `variables may be nested ${maxVariableDepth} deep, no deeper`,
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
    // JSON itself is read at any depth.
    const body = `{"query":"{ __typename }","variables":{"deep":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`;
    const response = await api.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  test.each([
    ['contains', 'os: { hostname: { contains: $text } }', maxTextLength],
    ['in', 'os: { hostname: { in: [$text] } }', maxTextLength],
    ['a label', 'label: { name: "a", startsWith: $text }', maxTextLength],
    ['any fact', 'fact: { path: "os.hostname", eq: $json }', maxTextLength],
    ['the path of any fact', 'fact: { path: $text, eq: 1 }', 1_000],
    ['a range of versions', 'os: { kernel: { matches: $text } }', maxRangeLength],
  ])('a text in a filter: %s', async (_what, filter, most) => {
    const type = filter.includes('$json') ? '$json: JSON' : '$text: String!';
    const query = `query (${type}) { hosts(filter: { ${filter} }) { totalCount } }`;
    const ask = async (text: string) => (await api.ask(query, { text, json: text })).errors?.[0];
    const passing = filter.includes('matches') ? `>=1${' '.repeat(most - 3)}` : `a.${'x'.repeat(most - 2)}`;
    expect((await ask(passing))?.message ?? '').not.toMatch(/must be at most/);
    const error = await ask(`${passing}x`);
    expect(error?.message).toMatch(new RegExp(`: must be at most ${most} characters, but has ${most + 1}$`));
    expect(error?.extensions.code).toBe('BAD_USER_INPUT');
  });

  // Each took seconds, or minutes, where length was not bounded: what tells what is wrong must not take long itself.
  test.each([
    [
      'blanks before what is no version',
      'String!',
      'os: { kernel: { matches: $text } }',
      `${' '.repeat(400_000)}|`,
    ],
    ['comparators', 'String!', 'os: { kernel: { matches: $text } }', '>=1 '.repeat(100_000)],
    ['digits', 'Bytes!', 'memory: { totalBytes: { eq: $text } }', `${'1'.repeat(400_000)}!`],
    [
      'fractions of seconds',
      'DateTime!',
      'lastSeenAt: { gt: $text }',
      `2026-05-01T10:00:00.${'0'.repeat(400_000)}`,
    ],
    ['parts of an address', 'String!', 'network: { primaryAddress: { eq: $text } }', '0:'.repeat(200_000)],
    [
      'parts of a subnet',
      'String!',
      'network: { primaryAddress: { inSubnet: $text } }',
      '1.'.repeat(200_000),
    ],
    [
      'parts of a MAC address',
      'String!',
      'network: { interfaces: { some: { mac: { startsWith: $text } } } }',
      '52:'.repeat(100_000),
    ],
    [
      'a path that is nearly right',
      'String!',
      'fact: { path: $text, eq: 1 }',
      `os.${'kernel'.repeat(60_000)}`,
    ],
  ])('hostile text is refused at once: %s', async (_what, type, filter, text) => {
    const { errors } = await api.ask(
      `query ($text: ${type}) { hosts(filter: { ${filter} }) { totalCount } }`,
      { text },
    );
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message.length).toBeLessThan(maxMessageLength + 100);
  });
});
