import { describe, expect, test } from 'vitest';
import { exposureProblem } from './settings/auth.ts';
import { readSettings, settingDefaults } from './settings.ts';

const read = (env: Record<string, string>) => readSettings(env, '/srv/inventory');
const settings = (env: Record<string, string>) => {
  const result = read(env);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.settings;
};

test('nothing set is the stores of a folder, for this machine alone', () => {
  const defaults = {
    host: '127.0.0.1',
    port: 4000,
    bucket: { kind: 'folder', folder: '/srv/inventory/data/bucket' },
    index: { kind: 'sqlite', file: '/srv/inventory/data/index.db' },
    commitLingerMs: 10,
    retentionMs: null,
    queryTimeoutMs: 30_000,
    operationLimit: { most: 600_000, perSeconds: 60 },
    reportLimit: { most: 600_000, perSeconds: 60 },
    addressLimit: { most: 600_000, perSeconds: 60 },
    maxInFlight: 1_000,
    tracing: null,
    plugins: [],
    auth: 'none',
    graphiql: true,
    introspection: true,
    pythonRoutes: true,
    oidc: null,
    tls: null,
    trustedProxies: [],
    maxConnections: 10_000,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 120_000,
    logLevel: 'info',
    stopDelayMs: 0,
    stopTimeoutMs: 20_000,
  };
  expect(settings({})).toEqual(defaults);
  const empty = Object.keys(settingDefaults).map((name) => [name, name === 'PORT' ? ' ' : '']);
  expect(settings(Object.fromEntries(empty))).toEqual(defaults);
});

test.each([
  ['file:./here', '/srv/inventory/here'],
  ['file:here/too', '/srv/inventory/here/too'],
  ['file:/absolute', '/absolute'],
  ['file:///absolute/with%20space', '/absolute/with space'],
])('BUCKET_URL %s is the folder %s', (url, folder) => {
  expect(settings({ BUCKET_URL: url }).bucket).toEqual({ kind: 'folder', folder });
});

test.each([
  ['s3://fleet', { bucket: 'fleet', prefix: '', forcePathStyle: false }],
  ['s3://fleet/', { bucket: 'fleet', prefix: '', forcePathStyle: false }],
  ['s3://fleet/a/b/', { bucket: 'fleet', prefix: 'a/b', forcePathStyle: false }],
  [
    's3://fleet/p?region=eu-central-1&endpoint=http://127.0.0.1:9000&forcePathStyle=true',
    {
      bucket: 'fleet',
      prefix: 'p',
      region: 'eu-central-1',
      endpoint: 'http://127.0.0.1:9000',
      forcePathStyle: true,
    },
  ],
])('BUCKET_URL %s', (url, expected) => {
  expect(settings({ BUCKET_URL: url }).bucket).toEqual({ kind: 's3', ...expected });
});

test.each([
  'postgres://inventory:s%23cret@db.example.org:5432/inventory?sslmode=require',
  'postgresql://db.example.org/inventory',
  'postgres:///inventory?host=/var/run/postgresql',
])('INDEX_URL %s', (url) => {
  expect(settings({ INDEX_URL: url }).index).toEqual({ kind: 'postgres', url });
});

test.each([
  [{ COMMIT_LINGER: '0ms' }, { commitLingerMs: 0 }],
  [{ COMMIT_LINGER: '1s' }, { commitLingerMs: 1000 }],
  [{ COMMIT_LINGER: '1m' }, { commitLingerMs: 60_000 }],
  [{ QUERY_TIMEOUT: '500ms' }, { queryTimeoutMs: 500 }],
  [{ RETENTION: '1h' }, { retentionMs: 3_600_000 }],
  [{ RETENTION: '90d' }, { retentionMs: 90 * 86_400_000 }],
])('%j is %j', (env, expected) => {
  expect(settings(env)).toMatchObject(expected);
});

test('plugins are listed with commas', () => {
  expect(settings({ PLUGINS: './rack.ts, @acme/rack ,' }).plugins).toEqual(['./rack.ts', '@acme/rack']);
});

describe('what cannot be used is told, with what to write instead', () => {
  test.each([
    ['TLS_KEY', './key.pem', /needs TLS_CERT/],
    ['TLS_CLIENT_CA', './ca.pem', /needs TLS_CERT/],
    ['TLS_CLIENT_CRL', './crl.pem', /needs TLS_CLIENT_CA/],
    ['TLS_CLIENT_SCOPES', 'submit', /needs TLS_CLIENT_CA/],
    ['TRUSTED_PROXIES', '10.0.0.0/8, proxy', /addresses and networks such as 10.0.0.0\/8, but has "proxy"/],
    ['MAX_CONNECTIONS', '5', /from 10 to 1000000/],
    ['HEADERS_TIMEOUT', '3m', /from 500ms to 2m/],
    ['LOG_LEVEL', 'all', /must be debug or info or warn or error/],
    ['STOP_TIMEOUT', '1ms', /from 1s to 1h/],
    ['STOP_DELAY', '21s', /from 0ms to 20s/],
    ['OIDC_ISSUER', 'https://id.example.org', /needs AUTH=required/],
    ['OIDC_AUDIENCE', 'inventory', /needs OIDC_ISSUER/],
    ['OIDC_SCOPES', 'engineers=read', /needs OIDC_ISSUER/],
    ['AUTH', 'yes', /must be none or required, but is "yes"/],
    ['GRAPHIQL', 'true', /must be on or off, but is "true"/],
    ['PORT', 'http', /whole number from 0 to 65535.*"http"/],
    ['PORT', '65536', /0 to 65535/],
    ['PORT', '-1', /0 to 65535/],
    ['PORT', '1e3', /0 to 65535/],
    ['BUCKET_URL', 'fleet', /must begin with file: or s3:\/\//],
    ['BUCKET_URL', 'https://s3.example.org/fleet', /must begin with/],
    ['BUCKET_URL', 'file:', /names no path/],
    ['BUCKET_URL', 'file://host/path', /file:\.\/relative/],
    ['BUCKET_URL', 's3://', /names no bucket/],
    ['BUCKET_URL', 's3://key:secret@fleet', /must not hold credentials/],
    ['BUCKET_URL', 's3://fleet?regoin=x', /unknown options regoin/],
    ['BUCKET_URL', 's3://fleet?endpoint=host:9000', /endpoint must begin with http/],
    ['BUCKET_URL', 's3://fleet?forcePathStyle=yes', /true or false/],
    ['INDEX_URL', 'index.db', /must begin with sqlite:/],
    ['INDEX_URL', 'sqlite:', /names no path/],
    ['INDEX_URL', 'mysql://host/inventory', /or postgres:\/\/, as in .*postgres:\/\/user:password@host/],
    ['INDEX_URL', 'postgres:inventory', /must begin with/],
    ['INDEX_URL', 'postgres://host', /names no database: write postgres:\/\//],
    ['INDEX_URL', 'postgres://user:1/2@host/inventory', /names no database/],
    ['INDEX_URL', 'postgres://host/?sslmode=require', /names no database/],
    ['INDEX_URL', 'postgres://user:a#b@host/inventory', /is not a URL.* as %2F %40 %23 %25/],
    ['INDEX_URL', 'postgres://user:100%@host/inventory', /is not a URL/],
    ['COMMIT_LINGER', '10', /a length of time from 0ms to 1m, as in 10ms, but is "10"/],
    ['COMMIT_LINGER', '-1s', /from 0ms to 1m/],
    ['COMMIT_LINGER', '61s', /from 0ms to 1m/],
    ['RETENTION', '90 days', /empty, to keep everything, or a length of time from 1h to 36500d, as in 90d/],
    ['RETENTION', '59m', /from 1h/],
    ['RETENTION', '0d', /from 1h/],
    ['RETENTION', '40000d', /to 36500d/],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', '127.0.0.1:4318', /address of a collector .* http:\/\/127.0.0.1:4318/],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://127.0.0.1:4317', /OTLP over HTTP/],
    ['OTEL_TRACES_SAMPLER', 'always', /must be always_on or .* or parentbased_traceidratio/],
    ['OTEL_TRACES_SAMPLER_ARG', '10%', /from 0 to 1/],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', /from 0 to 1/],
    ['OTEL_TRACES_SAMPLER_ARG', '-1', /from 0 to 1/],
    ['OTEL_TRACES_SAMPLER_ARG', '.', /from 0 to 1/],
  ])('%s=%s', (setting, value, message) => {
    expect(read({ [setting]: value })).toEqual({
      problems: [{ setting, message: expect.stringMatching(message) }],
    });
  });

  test('a certificate without its key', () => {
    expect(read({ TLS_CERT: './cert.pem' })).toEqual({
      problems: [
        { setting: 'TLS_KEY', message: expect.stringMatching(/is missing: TLS_CERT needs the key/) },
      ],
    });
  });

  test('all of it at once', () => {
    const wrong = ['PORT', 'BUCKET_URL', 'INDEX_URL', 'COMMIT_LINGER', 'RETENTION'];
    const result = read(Object.fromEntries(wrong.map((setting) => [setting, 'x'])));
    expect(result).toMatchObject({ problems: wrong.map((setting) => ({ setting })) });
  });

  test('a password is not repeated', () => {
    for (const [setting, url] of [
      ['BUCKET_URL', 's3://key:hunter2@fleet'],
      ['INDEX_URL', 'postgres://user:hunter2@host'],
      ['INDEX_URL', 'postgres://user:hunter2@host:port/inventory'],
      ['INDEX_URL', 'postgres://user:hunter2%@host/inventory'],
      ['INDEX_URL', 'mysql://user:hunter2@host/inventory'],
      ['OTEL_EXPORTER_OTLP_ENDPOINT', 'user:hunter2@host:4318'],
    ] as const) {
      const result = read({ [setting]: url });
      expect(result).toHaveProperty('problems');
      expect(JSON.stringify(result)).not.toContain('hunter2');
    }
  });
});

test.each([
  ['127.0.0.1', 'none', true],
  ['127.8.8.8', 'none', true],
  ['localhost', 'none', true],
  ['::1', 'none', true],
  ['::ffff:127.0.0.1', 'none', true],
  ['0.0.0.0', 'none', false],
  ['::', 'none', false],
  ['10.0.0.5', 'none', false],
  ['localhost.example.org', 'none', false],
  ['0.0.0.0', 'required', true],
] as const)('HOST %s with AUTH %s may start: %s', (host, auth, expected) => {
  const problem = exposureProblem({ host, auth });
  expect(problem === null).toBe(expected);
  if (problem !== null) expect(problem).toMatch(/AUTH=required/);
});

test('tokens of an identity provider come by https, and for this API', () => {
  const oidc = { AUTH: 'required', OIDC_ISSUER: 'https://id.example.org/' };
  expect(read(oidc)).toMatchObject({
    problems: [
      { setting: 'OIDC_AUDIENCE', message: /is missing/ },
      { setting: 'OIDC_SCOPES', message: /is missing: say what the values/ },
    ],
  });
  Object.assign(oidc, { OIDC_SCOPES: 'engineers=read' });
  expect(read({ ...oidc, OIDC_ISSUER: 'http://id.example.org', OIDC_AUDIENCE: 'x' })).toMatchObject({
    problems: [{ setting: 'OIDC_ISSUER', message: /begins with https/ }],
  });
  expect(settings({ ...oidc, OIDC_AUDIENCE: 'inventory' }).oidc).toMatchObject({
    issuer: 'https://id.example.org/',
    scopesClaim: 'scope',
    jwksUrl: null,
  });
  const scopes = (text: string) => read({ ...oidc, OIDC_AUDIENCE: 'inventory', OIDC_SCOPES: text });
  expect(scopes('engineers')).toMatchObject({ problems: [{ message: /such as engineers=read/ }] });
  expect(scopes('engineers=write')).toMatchObject({
    problems: [{ message: /must be submit or read or admin/ }],
  });
  const jwks = (url: string) => read({ ...oidc, OIDC_AUDIENCE: 'inventory', OIDC_JWKS_URL: url });
  expect(jwks('http://127.0.0.1:8080/keys')).toHaveProperty('settings.oidc.jwksUrl');
  for (const url of ['http://keycloak:8080/keys', 'http://127.0.0.1.example.org/', 'file:///keys', 'keys'])
    expect(jwks(url)).toMatchObject({
      problems: [{ setting: 'OIDC_JWKS_URL', message: /begins with https/ }],
    });
  const withPassword = jwks('https://user:hunter2@id.example.org/keys');
  expect(withPassword).toMatchObject({ problems: [{ message: /must not hold credentials/ }] });
  expect(JSON.stringify([withPassword, jwks('http://user:hunter2@id')])).not.toContain('hunter2');
});

test('files of TLS are relative to the working folder', () => {
  const files = {
    TLS_CERT: 'cert.pem',
    TLS_KEY: '/etc/key.pem',
    TLS_CLIENT_CA: './ca.pem',
    TLS_CLIENT_CRL: 'crl.pem',
    TLS_CLIENT_SCOPES: 'submit, read',
  };
  expect(settings(files).tls).toEqual({
    certFile: '/srv/inventory/cert.pem',
    keyFile: '/etc/key.pem',
    clientCaFile: '/srv/inventory/ca.pem',
    clientCrlFile: '/srv/inventory/crl.pem',
    clientScopes: ['submit', 'read'],
  });
});

test('traces go to a collector, of all requests or of some', () => {
  const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  expect(settings(on).tracing).toEqual({ sampler: 'parentbased_always_on', ratio: 1 });
  const some = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.05' };
  expect(settings({ ...on, ...some }).tracing).toEqual({ sampler: 'traceidratio', ratio: 0.05 });
  expect(settings(some).tracing).toBe(null);
});

test('limits are so many in a second or a minute, or off', () => {
  const limits = {
    OPERATION_LIMIT: '100/s',
    REPORT_LIMIT: '1/m',
    ADDRESS_LIMIT: 'off',
    MAX_IN_FLIGHT: 'off',
  };
  expect(settings(limits)).toMatchObject({
    operationLimit: { most: 100, perSeconds: 1 },
    reportLimit: { most: 1, perSeconds: 60 },
    addressLimit: null,
    maxInFlight: null,
  });
  expect(settings({ MAX_IN_FLIGHT: '10' }).maxInFlight).toBe(10);
});

test.each([
  [
    'OPERATION_LIMIT',
    '100',
    'must be a number from 1 to 1000000000 a second or a minute, as in 100/s or 5000/m, or off',
  ],
  ['OPERATION_LIMIT', '0/s', 'must be a number from 1'],
  ['REPORT_LIMIT', '10/h', 'but is "10/h"'],
  ['ADDRESS_LIMIT', '-1/s', 'must be a number from 1'],
  ['ADDRESS_LIMIT', '1.5/s', 'must be a number from 1'],
  ['MAX_IN_FLIGHT', '9', 'must be a whole number from 10 to 100000, or off, but is "9"'],
  ['MAX_IN_FLIGHT', '100001', 'must be a whole number'],
  ['MAX_IN_FLIGHT', '1e3', 'must be a whole number'],
])('%s %s', (setting, value, message) => {
  expect(read({ [setting]: value })).toEqual({
    problems: [{ setting, message: expect.stringContaining(message) }],
  });
});
