/** A stranger learns nothing and stores nothing, whatever the path; who shows a secret is who they are. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { type ApiLog, apiLog } from '../../test/support/api-log.ts';
import { hostId } from '../../test/support/reports.ts';
import { openFolderBucket } from '../bucket/folder-bucket.ts';
import { openCredentials } from './credentials.ts';
import { toDraft } from './draft.ts';

let api: TestApi;
let log: ApiLog;
/** By name: an administrator's, a reader's, and one that enrols. */
const secrets: Record<string, string> = {};

beforeAll(async () => {
  log = apiLog();
  api = await openTestApi({ authentication: { isRequired: true }, logger: log.logger });
  // As the command line does, beside the server.
  const bucket = await openFolderBucket(`${api.folder}/bucket`);
  const credentials = openCredentials({ bucket, logger: log.logger });
  const now = Date.now();
  const make = async (
    name: string,
    kind: 'token' | 'enrolment',
    scopes: string[],
    expiresAt: number | null = null,
  ) => {
    const rest = { hostId: null, labels: null, uses: null, createdBy: null };
    const { secret } = await credentials.create(toDraft({ name, kind, scopes, expiresAt, ...rest }, now));
    secrets[name] = secret;
  };
  await make('boss', 'token', ['admin']);
  await make('reader', 'token', ['read']);
  await make('enrolment', 'enrolment', []);
  await make('short', 'token', ['read'], now + 1);
});

const bearer = (secret = '') => ({ authorization: `Bearer ${secret}` });

async function ask(secret: string | undefined, query: string, variables?: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...bearer(secret) };
  const response = await api.fetch('/graphql', {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer;
}

const report = { host: { id: hostId(1), name: 'web-1' }, collectedAt: '2026-05-01T10:00:00Z', results: [] };
const graphql = (query: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query, variables: { input: report } }),
});

describe('a stranger', () => {
  const requests: [string, string, RequestInit?][] = [
    ['a query', '/graphql', graphql('{ hosts { totalCount } }')],
    ['the schema', '/graphql', graphql('{ __schema { types { name } } }')],
    ['its own name', '/graphql', graphql('{ viewer { name } }')],
    ['a report', '/graphql', graphql(submitMutation)],
    ['nonsense', '/graphql', graphql('{')],
    ['a query by GET', '/graphql?query=%7Bhosts%7BtotalCount%7D%7D'],
    ['a subscription', '/graphql', { ...graphql('subscription { reportSubmitted { id } }') }],
    ['an export', '/export/reports.ndjson'],
    ['an export that is none', '/export/nothing'],
    ['a report of the Python system', '/report', { method: 'POST', body: '{}' }],
    ['what the Python system reads', '/report?ip=10.0.0.1'],
    ['metrics', '/metrics'],
    ['the front page', '/'],
    ['no path', '/nowhere'],
    ['a path that is like an open one', '/health/'],
    ['another', '//health'],
    ['one more', '/ready/../graphql?query={hosts{totalCount}}'],
  ];
  test.each(requests)('gets the same answer for %s', async (_what, path, init) => {
    const response = await api.fetch(path, init);
    expect(response.status).toBe(401);
    const message = 'credentials are needed: send "Authorization: Bearer" with a token';
    const body = {
      status: 'error',
      error: message,
      errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }],
    };
    expect(await response.json()).toEqual(body);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="os-inspector"');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    ['a secret that nobody made', `Bearer osi_t_${'A'.repeat(43)}`],
    ['a part of one', 'Bearer osi_t_'],
    ['an empty one', 'Bearer '],
    ['a JWT, and there is no identity provider', 'Bearer a.b.c'],
    ['another scheme', 'Digest abc'],
    ['Basic that is no base64', 'Basic %%%'],
  ])('gets no further with %s', async (_what, authorization) => {
    const response = await api.fetch('/graphql?query={__typename}', { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: 'these credentials are not known here' });
  });

  test('is told that the process is up and ready, as a load balancer is', async () => {
    expect(await (await api.fetch('/health')).json()).toEqual({ health: 'ok' });
    expect((await api.fetch('/ready')).status).toBe(200);
  });

  test('has stored nothing', async () => {
    const { data } = await ask(secrets.reader, '{ hosts { totalCount } reports { totalCount } }');
    expect(data).toEqual({ hosts: { totalCount: 0 }, reports: { totalCount: 0 } });
  });

  test('with a browser is asked for a token', async () => {
    const response = await api.fetch('/graphql', { headers: { accept: 'text/html' } });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Basic realm="os-inspector: a token as the password"/,
    );
  });
});

test('a secret may come as the password of any user, or as the user: so browsers, curl -u and old agents can', async () => {
  for (const pair of [`anyone:${secrets.reader}`, `${secrets.reader}:`]) {
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    const response = await api.fetch('/graphql?query={viewer{name}}', { headers: { authorization } });
    expect(await response.json()).toEqual({ data: { viewer: { name: 'reader' } } });
  }
  const authorization = `Basic ${Buffer.from(`x:${secrets.reader}`).toString('base64')}`;
  const page = await api.fetch('/graphql', { headers: { accept: 'text/html', authorization } });
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
});

test('one that has expired is told so, to whoever has it', async () => {
  await expect
    .poll(async () => (await ask(secrets.short, '{ __typename }')).errors?.[0]?.message)
    .toMatch(/has expired/);
});

test('an administrator makes, lists and revokes tokens; nobody else does', async () => {
  const create = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret token { id state scopes labels } } }`;
  const input = { name: 'team a', scopes: ['READ'], labels: { team: 'a' } };
  for (const name of ['reader', 'enrolment']) {
    for (const query of ['{ tokens { id } }', `mutation { revokeToken(id: "${hostId(1)}") }`]) {
      expect((await ask(secrets[name], query)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    }
    expect((await ask(secrets[name], create, { input })).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  }
  const { data } = await ask(secrets.boss, create, { input });
  const { secret, token } = data.createToken;
  expect(token).toMatchObject({ state: 'VALID', scopes: ['READ'], labels: { team: 'a' } });
  const own = '{ viewer { kind name scopes labels hostId } }';
  expect((await ask(secret, own)).data.viewer).toEqual({
    ...{ kind: 'TOKEN', name: 'team a', scopes: ['READ'], labels: { team: 'a' }, hostId: null },
  });
  const listed = (await ask(secrets.boss, '{ tokens { id name kind state } }')).data.tokens;
  expect(listed).toContainEqual({ id: token.id, name: 'team a', kind: 'TOKEN', state: 'VALID' });
  expect((await ask(secrets.boss, `mutation { revokeToken(id: "${token.id}") }`)).data).toEqual({
    revokeToken: true,
  });
  expect((await ask(secret, own)).errors?.[0]?.message).toMatch(/revoked/);
  expect((await ask(secrets.boss, `mutation { revokeToken(id: "${hostId(404)}") }`)).data).toEqual({
    revokeToken: false,
  });
});

test.each([
  [{ name: ' ', scopes: ['READ'] }, /from 1 to 200 characters/],
  [{ name: 'x', scopes: [] }, /needs a scope: submit, read, admin/],
  [{ name: 'x', scopes: ['READ'], uses: 3 }, /only an enrolment secret/],
  [{ name: 'x', scopes: ['READ'], enrols: true }, /has no scope/],
  [{ name: 'x', scopes: [], enrols: true, uses: 0 }, /from 1 to/],
  [{ name: 'x', scopes: ['ADMIN'], hostId: hostId(1) }, /admin is for the whole fleet/],
  [{ name: 'x', scopes: ['READ'], expiresAt: '2020-01-01T00:00:00Z' }, /have expired already/],
])('a token that makes no sense is not made: %j', async (input, message) => {
  const create = 'mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret } }';
  const { errors } = await ask(secrets.boss, create, { input });
  expect(errors).toMatchObject([
    { message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT' } },
  ]);
});

test('an agent enrols, and may send reports of its own host and nothing else', async () => {
  const enrol =
    'mutation ($id: UUID!) { enrolHost(hostId: $id, hostName: "web-1") { credential hostId expiresAt } }';
  expect((await ask(secrets.reader, enrol, { id: hostId(1) })).errors?.[0]?.extensions.code).toBe(
    'FORBIDDEN',
  );
  const { data } = await ask(secrets.enrolment, enrol, { id: hostId(1) });
  expect(data.enrolHost).toEqual({
    credential: expect.stringMatching(/^osi_h_/),
    hostId: hostId(1),
    expiresAt: null,
  });
  const { credential } = data.enrolHost;
  const submit = (id: string) =>
    ask(credential, submitMutation, { input: { ...report, host: { id, name: 'x' } } });
  expect((await submit(hostId(2))).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  expect((await submit(hostId(1))).data.submitReport.duplicate).toBe(false);
  expect((await ask(credential, '{ hosts { totalCount } }')).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  expect((await ask(credential, enrol, { id: hostId(1) })).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  // Enrolled again, it has a new one, and the old one is told so.
  await ask(secrets.enrolment, enrol, { id: hostId(1) });
  expect((await submit(hostId(1))).errors?.[0]?.message).toMatch(/replaced when the host enrolled again/);
});

test('no secret is in the log, which says who did what', async () => {
  const authorization = bearer(secrets.reader);
  expect((await api.fetch('/export/hosts.csv', { headers: authorization })).status).toBe(200);
  for (const secret of Object.values(secrets)) expect(log.text()).not.toContain(secret.slice(6));
  const audited = log.lines().filter(({ audit }) => audit);
  const events = new Set(audited.map(({ event }) => event));
  expect(events).toEqual(
    new Set(['auth.refused', 'token.created', 'token.revoked', 'host.enrolled', 'operation', 'export']),
  );
  const asked = audited.filter(({ event }) => event === 'operation');
  expect(asked.find(({ fields }) => fields.includes('hosts'))).toMatchObject({
    by: { kind: 'token', name: 'reader' },
    type: 'query',
    fields: ['hosts', 'reports'],
    document: expect.stringMatching(/^[\w-]{43}$/),
  });
  // Reports are in the bucket.
  expect(asked.some(({ fields }) => fields.includes('submitReport'))).toBe(false);
  expect(audited.find(({ event }) => event === 'token.created')).toMatchObject({
    by: { kind: 'token', name: 'boss' },
    token: { name: 'team a', scopes: ['read'], narrowedTo: { labels: { team: 'a' } } },
  });
});

test('whoever goes on guessing is told to wait, and learns no more of what was wrong', async () => {
  const limits = {
    addressLimit: { most: 3, perSeconds: 60 as const },
    operationLimit: null,
    reportLimit: null,
  };
  const guarded = await openTestApi({ authentication: { isRequired: true }, limits });
  const guess = async (headers: Record<string, string>) =>
    (await guarded.fetch('/export/x', { headers })).status;
  const statuses = [await guess(bearer('osi_t_')), await guess(bearer('wrong')), await guess({})];
  expect(statuses).toEqual([401, 401, 401]);
  expect(await guess(bearer('wrong'))).toBe(429);
});

test('what is turned off is not there', async () => {
  const closed = await openTestApi({
    offered: { graphiql: false, introspection: false, pythonRoutes: false },
  });
  const page = await closed.fetch('/graphql', { headers: { accept: 'text/html' } });
  expect(page.status).toBe(406);
  expect((await closed.ask('{ __schema { types { name } } }')).errors?.[0]?.extensions.code).toBe(
    'GRAPHQL_VALIDATION_FAILED',
  );
  expect((await closed.ask('{ __typename hosts { totalCount } }')).data.hosts.totalCount).toBe(0);
  expect((await closed.fetch('/report?ip=10.0.0.1')).status).toBe(404);
  expect((await closed.fetch('/report', { method: 'POST', body: '{}' })).status).toBe(404);
});
