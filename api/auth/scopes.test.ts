/** Scopes: every field that operations begin with, for everyone who may ask: a field that is added is first an error here. */
import {
  execute,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  parse,
  subscribe,
} from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { dataOf, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { pythonReport } from '../../test/support/python-reports.ts';
import { hostId, result } from '../../test/support/reports.ts';
import { createBuilder } from '../builder.ts';
import { buildSchema } from '../schema/schema.ts';
import { everyone, type Identity, type Scope } from './identity.ts';
import { assertScoped, type Need } from './scopes.ts';

/** What each is for. Here once more, and not read from the schema: who opens a field to others does so twice. */
const expected: Record<string, Record<string, Need>> = {
  Query: {
    report: 'read',
    reports: 'read',
    reportCounts: 'read',
    host: 'read',
    hosts: 'read',
    changes: 'read',
    factCounts: 'read',
    factStats: 'read',
    plugins: 'read',
    viewer: 'anyone',
    tokens: 'admin',
  },
  Mutation: {
    submitReport: 'submit',
    submitReports: 'submit',
    createToken: 'admin',
    revokeToken: 'admin',
    enrolHost: 'enrol',
  },
  Subscription: { reportSubmitted: 'read', factsChanged: 'read' },
};

const identity = (name: string, scopes: Scope[], more: Partial<Identity> = {}): Identity => ({
  ...{ kind: 'token', id: name, name, scopes: new Set(scopes), narrowedTo: null },
  ...more,
});
const fleet = { hostId: null, labels: { team: 'a' } };
/** With what of the needs each of them meets. */
const identities: [Identity, readonly Need[]][] = [
  [everyone, ['submit', 'read', 'admin', 'enrol', 'anyone']],
  [identity('with no scope', []), ['anyone']],
  [identity('that submits', ['submit']), ['submit', 'anyone']],
  [identity('that reads', ['read']), ['read', 'anyone']],
  [identity('that does both', ['submit', 'read']), ['submit', 'read', 'anyone']],
  [identity('that administers', ['admin']), ['submit', 'read', 'admin', 'enrol', 'anyone']],
  [identity('that administers some', ['admin'], { narrowedTo: fleet }), ['submit', 'read', 'anyone']],
  [identity('that enrols', [], { kind: 'enrolment' }), ['enrol', 'anyone']],
];

let api: TestApi;
let schema: GraphQLSchema;
beforeAll(async () => {
  api = await openTestApi();
  schema = buildSchema(await loadBuiltinPlugins());
  await dataOf(api.ask(submitMutation, { input: exampleOf.SubmitReportInput }));
});

test('every field that operations begin with is here', () => {
  const found = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].map(
    (type) => [String(type), Object.keys(type?.getFields() ?? {}).sort()],
  );
  const told = Object.entries(expected).map(([type, fields]) => [type, Object.keys(fields).sort()]);
  expect(found).toEqual(told);
});

test('a schema with a field that nobody thought of is not made', () => {
  const builder = createBuilder();
  builder.queryField('open', (t) => t.string({ resolve: () => 'to all' }));
  builder.queryField('known', (t) => t.string({ authScopes: { anyone: true }, resolve: () => 'to all' }));
  builder.mutationField('odd', (t) => t.string({ authScopes: () => true, resolve: () => 'to whom' }));
  expect(() => assertScoped(builder.toSchema())).toThrow(/^authScopes must name some of submit, read/);
  const other = createBuilder();
  other.queryField('open', (t) => t.string({ resolve: () => 'to all' }));
  other.mutationField('shut', (t) => t.string({ authScopes: { admin: true }, resolve: () => '' }));
  expect(() => assertScoped(other.toSchema())).toThrow(/^Query.open: no authScopes/);
});

describe.each(identities.map(([who, meets]) => [who.name, who, meets] as const))(
  'an identity %s',
  (_name, who, meets) => {
    const fields = Object.entries(expected).flatMap(([type, needs]) =>
      Object.entries(needs).map(([field, need]) => ({ type, field, need, may: meets.includes(need) })),
    );

    test.each(fields.map((one) => [one.may ? 'may' : 'may not', `${one.type}.${one.field}`, one] as const))(
      '%s ask for %s',
      async (_may, _field, { type, field, need, may }) => {
        const document = operationOf(type, field);
        const errors =
          type === 'Subscription'
            ? await firstEvent(who, document, may)
            : (await api.as(who).ask(document)).errors;
        if (may) return expect(errors).toBeUndefined();
        expect(errors).toEqual([
          expect.objectContaining({
            message: expect.stringMatching(
              new RegExp(`^${field} needs the scope ${need}: ${who.name} has `),
            ) as string,
            extensions: { code: 'FORBIDDEN', path: [], scope: need },
          }),
        ]);
      },
    );

    test('the resolvers hold the same by themselves', async () => {
      for (const { type, field, need, may } of fields) {
        if (may) continue;
        const args = {
          schema,
          document: parse(operationOf(type, field)),
          contextValue: { identity: who } as never,
        };
        const answer = type === 'Subscription' ? await subscribe(args) : await execute(args);
        if (Symbol.asyncIterator in answer) throw new Error(`${field} can be subscribed to`);
        expect(Object.values(answer.data ?? {}).filter((value) => value !== null)).toEqual([]);
        expect(answer.errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN', scope: need } });
      }
    });

    test('the schema is for those who read', async () => {
      const { data, errors } = await api.as(who).ask('{ __schema { types { name } } }');
      if (meets.includes('read')) return expect(data.__schema.types.length).toBeGreaterThan(50);
      expect([data, errors?.[0]?.extensions.code]).toEqual([undefined, 'FORBIDDEN']);
      expect((await api.as(who).ask('{ __typename }')).data).toEqual({ __typename: 'Query' });
    });
  },
);

test('who sent a report may recognise it in the answer, and no more', () => {
  const type = schema.getType('Report') as GraphQLObjectType;
  const context = { identity: identity('agent', ['submit']) };
  const row = { id: hostId(1), collectedAt: 1, receivedAt: 1, results: [], host: {} };
  const told = Object.values(type.getFields()).filter(({ name, resolve }) => {
    try {
      resolve?.(row, {}, context, { parentType: type, fieldName: name } as never);
      return true;
    } catch (cause) {
      expect(cause).toMatchObject({ extensions: { code: 'FORBIDDEN', scope: 'read' } });
      return false;
    }
  });
  expect(told.map(({ name }) => name).sort()).toEqual(['collectedAt', 'id', 'receivedAt']);
});

describe('an operation of which some part may not be', () => {
  const submitter = identity('agent', ['submit']);
  const hosts = async () => (await dataOf(api.ask('{ hosts { totalCount } }'))).hosts.totalCount;
  const input = (number: number) => ({
    host: { id: hostId(number), name: `web-${number}` },
    collectedAt: '2026-05-01T10:00:00Z',
    results: [],
  });

  test('is not done in part, and every part is named once', async () => {
    const before = await hosts();
    const { data, errors } = await api.as(submitter).ask(
      /* GraphQL */ `
        mutation ($a: SubmitReportInput!, $b: SubmitReportInput!) {
          a: submitReport(input: $a) { report { id host { name reports { totalCount } } ...more } }
          b: submitReport(input: $b) { duplicate report { ...more } }
        }
        fragment more on Report { id collectedAt receivedAt changes { totalCount } os { kernel } }
      `,
      { a: input(20), b: input(21) },
    );
    expect(data).toBeUndefined();
    expect(errors?.map(({ message }) => message)).toEqual([
      'Report.host needs the scope read: agent has submit',
      'Report.changes needs the scope read: agent has submit',
      'Report.os needs the scope read: agent has submit',
    ]);
    expect(await hosts()).toBe(before);
  });

  test('is done when that part is left out', async () => {
    const mutation = /* GraphQL */ `
      mutation ($input: SubmitReportInput!, $more: Boolean!) {
        submitReport(input: $input) { duplicate report { id host @include(if: $more) { name } } }
      }
    `;
    const ask = (more: boolean) => api.as(submitter).ask(mutation, { input: input(22), more });
    expect((await ask(true)).errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', scope: 'read' });
    expect((await dataOf(ask(false))).submitReport.duplicate).toBe(false);
  });

  test('is told by its own operation alone, of those in one document', async () => {
    const query = `query Other { hosts { totalCount } } mutation Own($i: SubmitReportInput!) { submitReport(input: $i) { duplicate } }`;
    const ask = async (operationName: string) => {
      const body = JSON.stringify({ query, operationName, variables: { i: input(23) } });
      const headers = { 'content-type': 'application/json' };
      return (await api.as(submitter).fetch('/graphql', { method: 'POST', headers, body })).json();
    };
    expect((await ask('Own')).data).toEqual({ submitReport: { duplicate: false } });
    expect((await ask('Other')).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });
});

test('exports and the routes of the Python system ask for the same', async () => {
  const routes: [string, RequestInit, Need][] = [
    ['/export/hosts.ndjson', {}, 'read'],
    ['/export/reports.csv', {}, 'read'],
    ['/export/reports.csv', { method: 'HEAD' }, 'read'],
    ['/export/nothing', {}, 'read'],
    ['/report', { method: 'POST', body: JSON.stringify(pythonReport) }, 'submit'],
    ['/report?ip=192.0.2.20', {}, 'read'],
  ];
  for (const [who, meets] of identities) {
    if (who.narrowedTo) continue;
    for (const [path, init, need] of routes) {
      const response = await api.as(who).fetch(path, init);
      const isForbidden = response.status === 403;
      expect([who.name, path, isForbidden]).toEqual([who.name, path, !meets.includes(need)]);
      if (isForbidden && init.method !== 'HEAD')
        expect(await response.text()).toContain(` needs the scope ${need}: ${who.name} has `);
    }
  }
});

/** What subscribes, and a report that is news to it; the errors of the first answer. */
async function firstEvent(who: Identity, query: string, may: boolean) {
  const response = await api.as(who).fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  if (may) {
    for (const kernel of ['6.1.0', '6.1.90']) {
      const host = { id: hostId(1), name: 'web-1', labels: fleet.labels };
      const results = [result('os', { kernel: `${kernel}-${crypto.randomUUID()}` })];
      await dataOf(api.ask(submitMutation, { input: { host, collectedAt: new Date(), results } }));
    }
  }
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const [, data] = /^event: next\ndata: (.*)\n/m.exec(text) ?? [];
    if (data) return JSON.parse(data).errors;
  }
  throw new Error(`it ended: ${text}`);
}

function operationOf(type: string, field: string): string {
  const found = (schema.getType(type) as GraphQLObjectType).getFields()[field];
  if (!found) throw new Error(`no ${type}.${field}`);
  return `${type.toLowerCase()} { ${field}${argumentsOf(found)}${selectionOf(found)} }`;
}

/** Those that are needed. */
function argumentsOf({ args }: GraphQLField<unknown, unknown>): string {
  const given = args
    .filter(({ type }) => isNonNullType(type))
    .map(({ name, type }) => `${name}: ${literalOf(type)}`);
  return given.length > 0 ? `(${given.join(', ')})` : '';
}

const exampleOf: Record<string, unknown> = {
  UUID: hostId(1),
  String: 'cpu.threads',
  CreateTokenInput: { name: 'new hosts', scopes: [], enrols: true },
  DateTime: '2026-05-01T10:00:00Z',
  SubmitReportInput: {
    host: { id: hostId(1), name: 'web-1', labels: fleet.labels },
    collectedAt: '2026-05-01T10:00:00Z',
    results: [],
  },
};

function literalOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literalOf(type.ofType);
  if (isListType(type)) return `[${literalOf(type.ofType)}]`;
  if (isEnumType(type)) return String(type.getValues()[0]?.name);
  const example = exampleOf[type.name];
  if (example === undefined) throw new Error(`give an example of ${type.name}`);
  return isInputObjectType(type) ? inGraphql(example) : JSON.stringify(example);
}

/** JSON whose keys have no quotes. */
function inGraphql(value: unknown): string {
  return JSON.stringify(value).replaceAll(/"(\w+)":/g, '$1:');
}

/** The first field that has no fields, or leads to one. */
function selectionOf({ type }: GraphQLField<unknown, unknown>): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  const fields = Object.values((named as GraphQLObjectType).getFields()).filter(
    ({ args }) => args.length === 0,
  );
  const leaf = fields.find((field) => isLeafType(getNamedType(field.type)));
  const chosen = leaf ?? fields[0];
  if (!chosen) throw new Error(`nothing to select of ${named}`);
  return ` { ${chosen.name}${selectionOf(chosen)} }`;
}
