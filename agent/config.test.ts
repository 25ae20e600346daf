import { describe, expect, test } from 'vitest';
import { builtinPluginNames } from '../plugins/index.ts';
import { type AgentConfig, checkConfig, type Overrides } from './config.ts';

describe('a right config', () => {
  test('an empty one has every default', () => {
    const { config, problems } = checkConfig(undefined);
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ url: null, tokenFrom: null, intervalMs: 60_000, labels: {} });
    expect(config?.plugins.map(({ use }) => use)).toEqual(builtinPluginNames);
    expect(config?.plugins.every(({ timeoutMs }) => timeoutMs === 10_000)).toBe(true);
  });

  test('is completed', () => {
    const { config } = checkConfig({
      $schema: './agent.config.schema.json',
      api: { url: 'https://inventory.example/graphql' },
      interval: 90,
      timeout: '2s',
      labels: { site: 'fra1' },
      spool: { maxSize: '1.5MiB', maxAge: '12h' },
      plugins: [
        'cpu',
        { use: './rack.ts', timeout: '500ms', interval: '1d', memory: '64MiB', options: { row: 7 } },
      ],
    });
    const asPluginSays = { intervalMs: null, memoryBytes: null };
    expect(config).toEqual({
      url: 'https://inventory.example/graphql',
      tokenFrom: null,
      enrolmentFrom: null,
      tlsFiles: { ca: null, clientCert: null, clientKey: null },
      redact: [],
      intervalMs: 90_000,
      labels: { site: 'fra1' },
      log: { format: null, level: 'info' },
      metricsAt: null,
      spool: { maxBytes: 1_572_864, maxAgeMs: 43_200_000 },
      plugins: [
        { use: 'cpu', name: null, timeoutMs: 2_000, ...asPluginSays, options: {}, path: ['plugins', '0'] },
        {
          ...{
            use: './rack.ts',
            name: null,
            timeoutMs: 500,
            intervalMs: 86_400_000,
            memoryBytes: 67_108_864,
          },
          ...{ options: { row: 7 }, path: ['plugins', '1', 'use'] },
        },
      ],
    } satisfies AgentConfig);
  });

  test.each<[string, Overrides, string | null]>([
    ['the file', {}, 'http://file/graphql'],
    ['OS_INSPECTOR_URL', { url: 'http://env/graphql' }, 'http://env/graphql'],
    ['API_IP and API_PORT', { apiIp: '10.0.0.5', apiPort: '5001' }, 'http://10.0.0.5:5001/graphql'],
    ['an IPv6 API_IP', { apiIp: 'fd00::5', apiPort: '80' }, 'http://[fd00::5]:80/graphql'],
    ['a host name in API_IP', { apiIp: 'api_1.lan', apiPort: '80' }, 'http://api_1.lan:80/graphql'],
    [
      'OS_INSPECTOR_URL before API_IP',
      { url: 'http://env/', apiIp: '10.0.0.5', apiPort: '1' },
      'http://env/',
    ],
    ['the file when the environment is empty', { url: '', apiIp: '', apiPort: '' }, 'http://file/graphql'],
  ])('the address comes from %s', (_, overrides, url) => {
    const { config, problems } = checkConfig({ api: { url: 'http://file/graphql' } }, overrides);
    expect(problems).toEqual([]);
    expect(config?.url).toBe(url);
  });
});

const listen = 'must be an address and a port, such as "127.0.0.1:9115" or "[::1]:9115"';
const duration = 'must be a length of time such as "60s", "5m", "1h" or "500ms", or a number of seconds';
const size = 'must be a size such as "64MiB" or "1GiB"';
const plugin = 'must be a name such as "cpu", a file such as "./plugins/rack.ts", or an object with "use"';
const url = 'must be the address of the API, such as "http://127.0.0.1:4000/graphql"';

test.each<[unknown, string, string]>([
  [[], 'config', 'must be an object'],
  ['x', 'config', 'must be an object'],
  [{ intervall: '5s' }, 'intervall', 'unknown key, did you mean "interval"?'],
  [
    { spool: { maxSize: '64' } },
    'spool.maxSize',
    'must be an amount of bytes such as "64MiB" or "500kB", or a number of bytes',
  ],
  [{ spool: { maxSize: '1kB' } }, 'spool.maxSize', 'must be at least 1MiB'],
  [{ spool: { maxAge: '1s' } }, 'spool.maxAge', 'must be at least 1m'],
  [{ spool: { maxsize: '64MiB' } }, 'spool.maxsize', 'unknown key, did you mean "maxSize"?'],
  [
    { xyzxyz: 1 },
    'xyzxyz',
    'unknown key, known are $schema, api, interval, timeout, labels, redact, spool, log, metrics, plugins',
  ],
  [{ api: { url: 'http://x', uri: 1 } }, 'api.uri', 'unknown key, did you mean "url"?'],
  [
    { api: { url: 'http://x', token: 's3cret' } },
    'api.token',
    'must be { "env": "NAME" } or { "file": "/path" }: a config says where a secret is, never what it is',
  ],
  [{ api: { url: 'http://x', token: { file: 'token' } } }, 'api.token.file', 'must be an absolute path'],
  [
    { api: { url: 'http://x', token: { env: 'A-B' } } },
    'api.token.env',
    'must be the name of an environment variable',
  ],
  [
    { token: 's3cret' },
    'token',
    'unknown key: say with api.token where the token is, { "env": "NAME" } or { "file": "/path" }',
  ],
  [{ api: 'http://x' }, 'api', 'must be an object with "url"'],
  [{ api: {} }, 'api.url', url],
  [{ api: { url: 5 } }, 'api.url', url],
  [{ api: { url: 'localhost:4000' } }, 'api.url', 'must begin with http:// or https://'],
  [{ api: { url: 'http://' } }, 'api.url', url],
  [
    { api: { url: 'http://me:secret@x/' } },
    'api.url',
    'must not hold a user or password: use api.token instead',
  ],
  ...['http://x:6000/graphql', 'https://x:1/graphql'].map((url): [unknown, string, string] => [
    { api: { url } },
    'api.url',
    expect.stringMatching(/^port (?:6000|1) is one that fetch refuses/),
  ]),
  [{ interval: 'often' }, 'interval', duration],
  [{ interval: true }, 'interval', duration],
  [{ interval: -5 }, 'interval', duration],
  [{ interval: '500ms' }, 'interval', 'must be at least 1s'],
  [{ interval: '30d' }, 'interval', 'must be at most 7d'],
  [{ timeout: '2h' }, 'timeout', 'must be at most 1h'],
  [{ labels: 'a' }, 'labels', 'must be an object that maps names to text'],
  [{ labels: { row: 7 } }, 'labels.row', 'must be text: put it in quotation marks'],
  [{ labels: { a: 'x'.repeat(1_025) } }, 'labels.a', 'must be at most 1024 characters'],
  [
    { labels: { ['a'.repeat(129)]: 'x' } },
    `labels.${'a'.repeat(129)}`,
    'a name must have from 1 to 128 characters',
  ],
  [
    { labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, ''])) },
    'labels',
    'must be at most 64',
  ],
  [{ plugins: 'cpu' }, 'plugins', 'must be a list of plugins'],
  [{ plugins: [7] }, 'plugins.0', plugin],
  [{ plugins: [''] }, 'plugins.0', plugin],
  [{ plugins: [{}] }, 'plugins.0.use', plugin],
  [{ plugins: [{ use: 'cpu', timout: 1 }] }, 'plugins.0.timout', 'unknown key, did you mean "timeout"?'],
  [{ plugins: [{ use: 'cpu', timeout: 'x' }] }, 'plugins.0.timeout', duration],
  [{ plugins: [{ use: 'cpu', interval: '60d' }] }, 'plugins.0.interval', 'must be at most 31d'],
  [{ plugins: [{ use: './a.ts', memory: 64 }] }, 'plugins.0.memory', size],
  [{ plugins: [{ use: './a.ts', memory: '64MB' }] }, 'plugins.0.memory', size],
  [{ plugins: [{ use: './a.ts', memory: '8MiB' }] }, 'plugins.0.memory', 'must be at least 32MiB'],
  [{ plugins: [{ use: 'cpu', options: 5 }] }, 'plugins.0.options', 'must be an object'],
  [{ log: { format: 'xml' } }, 'log.format', 'must be "json" or "pretty"'],
  [{ log: { level: 'loud' } }, 'log.level', 'must be "info", "warn" or "error"'],
  [{ metrics: { listen: 9115 } }, 'metrics.listen', listen],
  [{ metrics: { listen: 'host.example:9115' } }, 'metrics.listen', listen],
  [{ plugins: ['os', { use: 'os' }] }, 'plugins.1', 'the same plugin as plugins.0: name it once'],
])('%j has the problem %s: %s', (value, path, message) => {
  expect(checkConfig(value)).toMatchObject({ config: null, problems: [{ path, message }] });
});

test.each<[Overrides, string, string]>([
  [{ url: 'inventory' }, 'OS_INSPECTOR_URL', 'must begin with http:// or https://'],
  [{ apiIp: '10.0.0.5' }, 'API_PORT', 'is missing: API_IP needs it, as in API_PORT=4000'],
  [{ apiPort: '4000' }, 'API_IP', 'is missing: API_PORT needs it, as in API_IP=10.0.0.5'],
  [{ apiIp: '10.0.0.5', apiPort: '70000' }, 'API_PORT', 'must be a whole number from 1 to 65535'],
  [{ apiIp: '10.0.0.5', apiPort: '4e3' }, 'API_PORT', 'must be a whole number from 1 to 65535'],
  [{ apiIp: 'fe80::1%eth0', apiPort: '80' }, 'API_IP', 'must be an address or a host name, such as 10.0.0.5'],
  ...['10.0.0.5/x', 'api:80', 'me@api', 'api?x', 'api#x', 'a b', '1.2.3.4.5'].map(
    (apiIp): [Overrides, string, string] => [
      { apiIp, apiPort: '1000' },
      'API_IP',
      'must be an address or a host name, such as 10.0.0.5',
    ],
  ),
  [{ apiIp: '10.0.0.5', apiPort: '6000' }, 'API_PORT', expect.stringMatching(/^port 6000 is one that fetch/)],
  [{ url: 'http://x:22/' }, 'OS_INSPECTOR_URL', expect.stringMatching(/^port 22 is one that fetch refuses/)],
])('the environment %j has the problem %s: %s', (overrides, path, message) => {
  expect(checkConfig({}, overrides)).toMatchObject({ config: null, problems: [{ path, message }] });
});

test('every problem is reported at once, and what is right is still there to be loaded', () => {
  const { config, problems, plugins } = checkConfig(
    { intervall: 1, api: { url: 'ftp://x' }, labels: { a: 1 }, plugins: ['cpu', 7, { use: './rack.ts' }] },
    { apiIp: '10.0.0.5' },
  );
  expect(config).toBeNull();
  expect(problems.map(({ path }) => path).sort()).toEqual(
    ['API_PORT', 'api.url', 'intervall', 'labels.a', 'plugins.1'].sort(),
  );
  expect(plugins.map(({ use }) => use)).toEqual(['cpu', './rack.ts']);
});
