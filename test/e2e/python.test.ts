import { spawnSync } from 'node:child_process';
import { beforeEach, describe, expect, test } from 'vitest';
import { dataOf, openTestApi, submitMutation, type TestApi } from '../support/api.ts';
import { startApi } from '../support/api-process.ts';
import { testIf } from '../support/needs.ts';
import { run } from '../support/process.ts';
import { hostId } from '../support/reports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const flat = {
  cpu: 'Intel(R) Xeon(R) CPU E5-2680',
  os_username: 'deploy',
  os_name: 'Linux',
  server_ip: '203.0.113.7',
  timestamp: '2024-05-01 12:00:00.123456',
  os_version: '5.15.0-105-generic',
};

let api: TestApi;
beforeEach(async () => {
  api = await openTestApi();
});

async function post(body: unknown) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  const response = await api.fetch('/report', { method: 'POST', headers, body: text });
  return { status: response.status, body: await response.json() };
}

async function get(path: string) {
  const response = await api.fetch(path);
  return { status: response.status, body: await response.json() };
}

const reports = async () =>
  (
    await dataOf(
      api.ask(`{ reports { nodes {
        id collectedAt host { id name } cpu { model } user { name } os { platform distribution version }
        network { primaryAddress } facts(plugin: "pythonReport")
      } } }`),
    )
  ).reports.nodes;

test('a flat report is answered as it always was, and appears typed', async () => {
  expect(await post(flat)).toEqual({ status: 200, body: { status: 'success' } });
  expect(await reports()).toEqual([
    {
      id: expect.any(String),
      collectedAt: '2024-05-01T12:00:00.123Z',
      // Made from the address, so it must never change.
      host: { id: 'bdafdd88-21f8-5512-9fd1-416e3558e32b', name: '203.0.113.7' },
      cpu: { model: flat.cpu },
      user: { name: 'deploy' },
      os: { platform: 'linux', distribution: 'Linux', version: '5.15.0-105-generic' },
      network: { primaryAddress: '203.0.113.7' },
      facts: flat,
    },
  ]);
});

test('GET /report answers the newest, word for word', async () => {
  const newer = {
    ...flat,
    os_version: '6.1',
    timestamp: '2024-06-01T00:00:00+02:00',
    mem: '16 GB',
    extra: [1],
  };
  await post(newer);
  await post(flat);
  expect(await get('/report?ip=203.0.113.7')).toEqual({ status: 200, body: { report: newer } });
  expect((await reports()).length).toBe(2);
});

test('the same report sent twice is kept once', async () => {
  await post(flat);
  expect(await post(flat)).toEqual({ status: 200, body: { status: 'success' } });
  expect(await reports()).toHaveLength(1);
});

test('GET /report answers for a host that has moved to the new agent', async () => {
  await post(flat);
  const results = [
    { plugin: 'cpu', status: 'OK', facts: { model: 'AMD EPYC' } },
    {
      plugin: 'os',
      status: 'OK',
      facts: { platform: 'linux', distribution: 'Debian GNU/Linux', version: '12' },
    },
    { plugin: 'user', status: 'OK', facts: { name: 'root' } },
    { plugin: 'network', status: 'OK', facts: { primaryAddress: flat.server_ip } },
  ];
  const input = { host: { id: hostId(1), name: 'web-1' }, collectedAt: '2026-05-01T00:00:00Z', results };
  await dataOf(api.ask(submitMutation, { input }));
  expect((await get(`/report?ip=${flat.server_ip}`)).body).toEqual({
    report: {
      cpu: 'AMD EPYC',
      os_username: 'root',
      os_name: 'Debian GNU/Linux',
      server_ip: flat.server_ip,
      timestamp: '2026-05-01T00:00:00.000Z',
      os_version: '12',
    },
  });
});

test.each([
  [1_714_564_800, '2024-05-01T12:00:00.000Z'],
  [1_714_564_800.5, '2024-05-01T12:00:00.500Z'],
  ['1714564800', '2024-05-01T12:00:00.000Z'],
  ['2024-05-01', '2024-05-01T00:00:00.000Z'],
  ['2024-05-01 12:00:00', '2024-05-01T12:00:00.000Z'],
  ['2024-05-01T12:00:00', '2024-05-01T12:00:00.000Z'],
  ['2024-05-01T12:00:00Z', '2024-05-01T12:00:00.000Z'],
  ['2024-05-01 12:00:00+02:00', '2024-05-01T10:00:00.000Z'],
  ['2024-05-01 12:00:00 +0200', '2024-05-01T10:00:00.000Z'],
  ['2024-05-01 12:00:00 UTC', '2024-05-01T12:00:00.000Z'],
  [1_714_564_800_123, '2024-05-01T12:00:00.123Z'],
])('timestamp %j is %s', async (timestamp, collectedAt) => {
  expect((await post({ ...flat, timestamp })).status).toBe(200);
  expect((await reports())[0].collectedAt).toBe(collectedAt);
});

test('what was sent comes back word for word, blanks and all', async () => {
  const odd = { ...flat, cpu: ' Intel  ', os_name: 'Línux\u0000', nested: { a: [null] } };
  await post(odd);
  expect((await get('/report?ip=203.0.113.7')).body).toEqual({ report: odd });
});

test('one address is one host, however it is written', async () => {
  const spellings = ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '10.9.9.9', '::ffff:10.9.9.9'];
  for (const server_ip of spellings) await post({ ...flat, server_ip });
  const { hosts } = await dataOf(api.ask('{ hosts { nodes { reports { totalCount } } } }'));
  expect(hosts.nodes).toEqual([{ reports: { totalCount: 2 } }, { reports: { totalCount: 2 } }]);
});

test('a body without end is refused before it is all read', async () => {
  let sent = 0;
  const chunk = new Uint8Array(1024 * 1024).fill(32);
  const body = new ReadableStream({
    pull(controller) {
      sent += chunk.length;
      if (sent > 256 * 1024 * 1024) controller.close();
      else controller.enqueue(chunk);
    },
  });
  const response = await api.fetch('/report', { method: 'POST', body, duplex: 'half' } as RequestInit);
  expect(response.status).toBe(413);
  expect(sent).toBeLessThan(32 * 1024 * 1024);
});

test('memory in bytes is a fact of its own', async () => {
  await post({ ...flat, mem: 17_179_869_184 });
  const { reports: found } = await dataOf(api.ask('{ reports { nodes { facts(plugin: "memory") } } }'));
  expect(found.nodes).toEqual([{ facts: { totalBytes: 17_179_869_184 } }]);
});

describe('a malformed one is answered 400 with what is wrong', () => {
  const without = (name: string) => Object.fromEntries(Object.entries(flat).filter(([key]) => key !== name));
  test.each<[string, unknown, RegExp]>([
    ...Object.keys(flat).map((name): [string, unknown, RegExp] => [
      `no ${name}`,
      without(name),
      RegExp(`${name}: `),
    ]),
    ['no JSON', '{"cpu":', /must be JSON/],
    ['no object', [1], /body: .*expected object/],
    ['nothing', '', /must be JSON/],
    ['a wrong address', { ...flat, server_ip: '300.1.1.1' }, /server_ip: /],
    ['a wrong time', { ...flat, timestamp: 'today' }, /timestamp: .*date and time/],
    ['a time that begins as one', { ...flat, timestamp: 'garbage 5' }, /timestamp: .*date and time/],
    ['a day that is none', { ...flat, timestamp: '2024-02-30' }, /timestamp: .*date and time/],
    ['a month first', { ...flat, timestamp: '03-15-2024' }, /timestamp: .*date and time/],
    ['a small number', { ...flat, timestamp: 0 }, /timestamp: .*date and time/],
    ['an object for a word', { ...flat, cpu: { model: 'x' } }, /cpu: must be text or a number/],
    ['several things at once', { ...flat, cpu: null, os_name: '' }, /cpu: .*os_name: /],
  ])('%s', async (_what, body, message) => {
    const answer = await post(body);
    expect(answer).toEqual({ status: 400, body: { status: 'error', error: expect.stringMatching(message) } });
    expect(await reports()).toEqual([]);
  });
});

test.each([
  ['/report?ip=203.0.113.8', 404, /no report of 203.0.113.8/],
  ['/report?ip=web1', 400, /not an address/],
  ['/report', 400, /\/report\?ip=/],
])('GET %s is %s', async (path, status, message) => {
  expect(await get(path)).toEqual({
    status,
    body: { status: 'error', error: expect.stringMatching(message) },
  });
});

test('GET /health answers as it did', async () => {
  expect(await get('/health')).toEqual({ status: 200, body: { health: 'ok' } });
});

const hasRequests = spawnSync('python3', ['-c', 'import requests']).status === 0;
const needed = 'needs python3 with requests, the Debian package python3-requests';

testIf(hasRequests, needed, 'an unmodified Python client goes on working', async () => {
  const folder = await temporaryFolder();
  const running = await startApi(folder);
  const script = `
import json, requests, sys
base = sys.argv[1]
answer = requests.post(base + '/report', json=json.loads(sys.argv[2]))
print(answer.status_code, json.dumps(answer.json()))
answer = requests.get(base + '/report', params={'ip': '203.0.113.7'})
print(answer.status_code, json.dumps(answer.json()))
print(requests.get(base + '/health').json())
print(requests.post(base + '/report', json={}).status_code)
`;
  const { origin } = new URL(running.url);
  const { code, stdout } = await run('python3', ['-c', script, origin, JSON.stringify(flat)]);
  expect(code).toBe(0);
  const [posted, read, health, malformed] = stdout.split('\n');
  expect(posted).toBe('200 {"status": "success"}');
  expect(JSON.parse(read?.slice(4) ?? '')).toEqual({ report: flat });
  expect(health).toBe("{'health': 'ok'}");
  expect(malformed).toBe('400');
});
