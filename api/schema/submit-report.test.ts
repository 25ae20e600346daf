import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { count, definePlugin } from '../../plugins/plugin.ts';
import { dataOf, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { hostId } from '../../test/support/reports.ts';
import { readStoredIn } from '../../test/support/stored.ts';
import type { Bucket } from '../bucket/bucket.ts';
import { Failure } from '../failure.ts';

const reportId = '0198f3a0-0000-7000-9000-000000000001';

function input(overrides: Record<string, unknown> = {}) {
  const os = { platform: 'linux', distribution: 'Debian GNU/Linux', kernel: '6.1.90' };
  return {
    id: reportId,
    host: { id: hostId(1), name: 'web-1', labels: { environment: 'test' } },
    agentVersion: '0.1.0',
    intervalSeconds: 60,
    collectedAt: '2026-05-01T12:00:00+02:00',
    results: [
      { plugin: 'os', version: 1, status: 'OK', durationMs: 1.5, facts: os, readings: { uptimeSeconds: 5 } },
      { plugin: 'cpu', status: 'ERROR', error: 'no /proc' },
    ],
    ...overrides,
  };
}

const submit = (api: TestApi, overrides?: Record<string, unknown>) =>
  api.ask(submitMutation, { input: input(overrides) });
const total = async (api: TestApi) =>
  (await dataOf(api.ask('{ reports { totalCount } }'))).reports.totalCount;

test('a host tells which one its disk was cloned from', async () => {
  const api = await openTestApi();
  const clones = '{ hosts(filter: { fact: { path: "host.clonedFrom", isNull: false } }) { nodes { id } } }';
  expect(await dataOf(api.ask(clones))).toEqual({ hosts: { nodes: [] } });
  const clone = { id: hostId(2), name: 'web-2', clonedFrom: hostId(1).toUpperCase() };
  const mutation = `mutation ($input: SubmitReportInput!) { submitReport(input: $input) {
    report { host { id clonedFrom } } } }`;
  const submitted = await dataOf(api.ask(mutation, { input: input({ host: clone }) }));
  const told = { id: hostId(2), clonedFrom: hostId(1) };
  expect(submitted).toEqual({ submitReport: { report: { host: told } } });
  await dataOf(submit(api, { id: undefined }));
  const query = `query ($original: JSON) {
    all: hosts { nodes { id clonedFrom } }
    clones: hosts(filter: { fact: { path: "host.clonedFrom", eq: $original } }) { nodes { id } }
    counts: factCounts(path: "host.clonedFrom") { value hosts }
  }`;
  expect(await dataOf(api.ask(query, { original: hostId(1) }))).toEqual({
    all: { nodes: [{ id: hostId(1), clonedFrom: null }, told] },
    clones: { nodes: [{ id: hostId(2) }] },
    counts: [
      { value: null, hosts: 1 },
      { value: hostId(1), hosts: 1 },
    ],
  });
  expect(await dataOf(api.ask(clones))).toEqual({ hosts: { nodes: [{ id: hostId(2) }] } });
  expect((await submit(api, { host: { ...clone, clonedFrom: 'web-1' } })).errors?.[0]?.message).toMatch(
    /UUID/,
  );
});

test('a report is stored and read back, typed and as sent', async () => {
  const api = await openTestApi();
  expect(await dataOf(submit(api))).toEqual({ submitReport: { duplicate: false, report: { id: reportId } } });
  const query = `query ($id: UUID!) { report(id: $id) {
    collectedAt agentVersion host { id name labels status agentVersion }
    os { distribution kernel uptimeSeconds codename } cpu { model }
    results { plugin version status durationMs error facts readings problems { path } }
    facts(plugin: "os")
  } }`;
  const { report } = await dataOf(api.ask(query, { id: reportId }));
  const facts = { platform: 'linux', distribution: 'Debian GNU/Linux', kernel: '6.1.90' };
  expect(report).toEqual({
    collectedAt: '2026-05-01T10:00:00.000Z',
    agentVersion: '0.1.0',
    host: {
      id: hostId(1),
      name: 'web-1',
      labels: { environment: 'test' },
      status: 'ONLINE',
      agentVersion: '0.1.0',
    },
    os: { distribution: 'Debian GNU/Linux', kernel: '6.1.90', uptimeSeconds: 5, codename: null },
    cpu: null,
    results: [
      {
        plugin: 'os',
        version: 1,
        status: 'OK',
        durationMs: 1.5,
        error: null,
        facts,
        readings: { uptimeSeconds: 5 },
        problems: [],
      },
      {
        plugin: 'cpu',
        version: null,
        status: 'ERROR',
        durationMs: null,
        error: 'no /proc',
        facts: null,
        readings: null,
        problems: [],
      },
    ],
    facts,
  });
});

test('the same id again is a duplicate that adds nothing, whatever else it says and however it is written', async () => {
  const api = await openTestApi();
  await dataOf(submit(api));
  const again = await dataOf(
    submit(api, { id: reportId.toUpperCase(), host: { id: hostId(1).toUpperCase(), name: 'other' } }),
  );
  expect(again).toEqual({ submitReport: { duplicate: true, report: { id: reportId } } });
  expect(await total(api)).toBe(1);
  expect((await dataOf(api.ask('{ hosts { nodes { name } } }'))).hosts.nodes).toEqual([{ name: 'web-1' }]);
});

test('an id that a host has used is not told of to another, nor taken from it', async () => {
  const api = await openTestApi();
  const other = { host: { id: hostId(2), name: 'other' } };
  const refused = { code: 'BAD_USER_INPUT', path: ['input', 'id'] };
  // While it is written, and once it is there.
  const [first, second] = await Promise.all([submit(api), submit(api, other)]);
  const third = await submit(api, other);
  expect(first.errors).toBeUndefined();
  for (const { data, errors } of [second, third]) {
    expect([data, errors?.map(({ extensions }) => extensions)]).toEqual([null, [refused]]);
    expect(errors?.[0]?.message).toMatch(/^input.id: is of a report of another host: take a new one/);
  }
  expect((await dataOf(api.ask('{ hosts { nodes { name } } }'))).hosts.nodes).toEqual([{ name: 'web-1' }]);
  const [copies = []] = [...(await readStoredIn(`${api.folder}/bucket`)).values()];
  expect(copies).toHaveLength(1);
});

test('an id of version 5, which is one of the Python system, is not taken', async () => {
  const { errors } = await submit(await openTestApi(), { id: '0198f3a0-0000-5000-9000-000000000001' });
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', path: ['input', 'id'] } }]);
});

test('of many sends of one report at the same time one is first', async () => {
  const api = await openTestApi();
  const answers = await Promise.all(Array.from({ length: 20 }, () => dataOf(submit(api))));
  const duplicates = answers.filter((answer) => answer.submitReport.duplicate);
  expect(duplicates).toHaveLength(19);
  expect(await total(api)).toBe(1);
});

test('without an id the server makes one of version 7', async () => {
  const api = await openTestApi();
  const { submitReport } = await dataOf(submit(api, { id: undefined }));
  expect(submitReport.report.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  expect(submitReport.duplicate).toBe(false);
});

test('what a plugin was not asked for, or the agent takes out, is not there, which is no problem', async () => {
  const rack = definePlugin({
    name: 'rack',
    version: 1,
    description: 'x',
    facts: { row: count('x') },
    readings: { fans: count('x', { nullable: false }) },
    collect: async () => null,
  });
  const api = await openTestApi({ plugins: [rack] });
  const carried = { plugin: 'rack', status: 'OK', durationMs: null, facts: { row: 7 }, readings: null };
  const query =
    '{ reports(first: 1) { nodes { rack { row fans } results { durationMs problems { path } } } } }';
  const latest = async () => (await dataOf(api.ask(query))).reports.nodes[0];
  await dataOf(submit(api, { id: undefined, results: [carried] }));
  expect(await latest()).toEqual({
    rack: { row: 7, fans: null },
    results: [{ durationMs: null, problems: [] }],
  });
  const results = [{ ...carried, durationMs: 1, facts: { row: null }, readings: { fans: null } }];
  await dataOf(submit(api, { id: undefined, collectedAt: '2026-05-01T13:00:00+02:00', results }));
  expect(await latest()).toMatchObject({ results: [{ durationMs: 1, problems: [] }] });
  const wrong = [{ ...carried, readings: { fans: 'two' } }];
  await dataOf(submit(api, { id: undefined, collectedAt: '2026-05-01T14:00:00+02:00', results: wrong }));
  expect(await latest()).toMatchObject({ results: [{ problems: [{ path: 'fans' }] }] });
});

test('facts that do not fit are kept as sent and marked, and cost nothing else', async () => {
  const api = await openTestApi();
  const facts = { model: 'X', threads: 'four', newerFact: { a: 1 } };
  const results = [
    { plugin: 'cpu', status: 'OK', facts },
    { plugin: 'os', status: 'OK', facts: 'no record' },
    { plugin: 'unheardOf', status: 'OK', facts: [1, { deep: null }] },
  ];
  await dataOf(submit(api, { results }));
  const query = `{ reports { nodes {
    cpu { model threads } os { kernel } facts(plugin: "unheardOf") results { plugin facts problems { path message } }
  } } }`;
  const [report] = (await dataOf(api.ask(query))).reports.nodes;
  expect(report.cpu).toEqual({ model: 'X', threads: null });
  expect(report.os).toEqual({ kernel: null });
  expect(report.facts).toEqual([1, { deep: null }]);
  expect(report.results.map((result: { facts: unknown }) => result.facts)).toEqual(
    results.map((sent) => sent.facts),
  );
  const problems = report.results.map((result: { problems: { path: string }[] }) =>
    result.problems.map(({ path }) => path),
  );
  expect(problems).toEqual([['threads'], [''], []]);
});

describe('an envelope that is wrong is refused whole', () => {
  const result = (more: Record<string, unknown>) => [{ plugin: 'os', status: 'OK', ...more }];
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  const cases: [string, Record<string, unknown>, (string | number)[]][] = [
    ['an id that is none', { id: 'x' }, ['input', 'id']],
    ['no host', { host: undefined }, ['input']],
    ['a host without a name', { host: { id: hostId(1) } }, ['input', 'host']],
    ['a host with an empty name', { host: { id: hostId(1), name: ' ' } }, ['input', 'host', 'name']],
    ['a host id that is none', { host: { id: 7, name: 'a' } }, ['input', 'host', 'id']],
    [
      'a label that would be left out without a word',
      { host: { id: hostId(1), name: 'a', labels: JSON.parse('{"__proto__": "x"}') } },
      ['input', 'host', 'labels'],
    ],
    [
      'labels that are not text',
      { host: { id: hostId(1), name: 'a', labels: { a: 1 } } },
      ['input', 'host', 'labels'],
    ],
    ['an unknown field', { hostname: 'x' }, ['input']],
    ['a time that is none', { collectedAt: 'yesterday' }, ['input', 'collectedAt']],
    ['a time before computers', { collectedAt: '1900-01-01T00:00:00Z' }, ['input', 'collectedAt']],
    ['a time past year 9999', { collectedAt: '9999-12-31T23:59:59-12:00' }, ['input', 'collectedAt']],
    ['an interval of nothing', { intervalSeconds: 0 }, ['input', 'intervalSeconds']],
    ['an interval without end', { intervalSeconds: 1e308 }, ['input', 'intervalSeconds']],
    ['half a character in a name', { host: { id: hostId(1), name: 'web\ud83d' } }, ['input', 'host', 'name']],
    ['fewer than no reports dropped', { droppedReports: -1 }, ['input', 'droppedReports']],
    ['no results', { results: null }, ['input', 'results']],
    ['a state that is none', { results: result({ status: 'FINE' }) }, ['input', 'results', 0, 'status']],
    ['a plugin without a name', { results: result({ plugin: '' }) }, ['input', 'results', 0, 'plugin']],
    ['a plugin twice', { results: [...result({}), ...result({})] }, ['input', 'results', 1, 'plugin']],
    ['less than no time', { results: result({ durationMs: -1 }) }, ['input', 'results', 0, 'durationMs']],
    [
      'facts nested without end',
      { results: result({ facts: deep(5000) }) },
      ['input', 'results', 0, 'facts'],
    ],
    [
      'readings nested too deep',
      { results: result({ readings: deep(65) }) },
      ['input', 'results', 0, 'readings'],
    ],
  ];

  test.each(cases)('%s', async (_what, overrides, path) => {
    const api = await openTestApi();
    const { errors } = await submit(api, overrides);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
    expect(await total(api)).toBe(0);
  });

  test('by the path from the argument, whatever the variable is called and wherever it stands', async () => {
    const api = await openTestApi();
    const { errors } = await api.ask(
      `mutation ($h: HostInput!, $at: DateTime!) {
        submitReport(input: { host: $h, collectedAt: $at, results: [] }) { duplicate }
      }`,
      { h: { id: 'x', name: 'a' }, at: 'y' },
    );
    expect(errors?.map(({ extensions }) => extensions.path)).toEqual([
      ['input', 'host', 'id'],
      ['input', 'collectedAt'],
    ]);
  });

  test('in the text of the query as in its variables', async () => {
    const api = await openTestApi();
    const { errors } = await api.ask(`mutation { submitReport(input: {
      host: { id: "${hostId(1)}", name: "a" }, collectedAt: "2026-05-01T00:00:00Z", results: [{ plugin: "os", status: FINE }]
    }) { duplicate } }`);
    const path = ['input', 'results', 0, 'status'];
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
    expect(errors?.[0]?.message).toContain('input.results[0].status');
  });

  test('every problem is told at once', async () => {
    const api = await openTestApi();
    const { errors } = await submit(api, { id: 'x', collectedAt: 'y', host: { id: 'z', name: 'a' } });
    expect(errors?.map(({ extensions }) => extensions.path)).toEqual(
      expect.arrayContaining([
        ['input', 'id'],
        ['input', 'collectedAt'],
        ['input', 'host', 'id'],
      ]),
    );
  });
});

test('half a character in what a plugin said costs itself alone, here and for every reader of the bucket', async () => {
  const api = await openTestApi();
  const facts = { model: 'cut \ud83d', whole: '😀', backslash: '\\ud83d', 'key\ud83d': 1 };
  const error = `${'x'.repeat(9)}\ud83d`;
  await dataOf(submit(api, { results: [{ plugin: 'cpu', status: 'OK', facts, error }] }));
  const expected = { model: 'cut \ufffd', whole: '😀', backslash: '\\ud83d', 'key\ufffd': 1 };
  const query = '{ reports { nodes { facts(plugin: "cpu") results { error } } } }';
  const read = async (from: TestApi) => (await dataOf(from.ask(query))).reports.nodes;
  const results = [{ error: `${'x'.repeat(9)}\ufffd` }];
  expect(await read(api)).toEqual([{ facts: expected, results }]);
  await api.close();
  rmSync(`${api.folder}/index.db`);
  expect(await read(await openTestApi({ folder: api.folder }))).toEqual([{ facts: expected, results }]);
});

describe('a bucket that fails', () => {
  function failing(): { wrapBucket: (bucket: Bucket) => Bucket; away: { now: boolean } } {
    const away = { now: false };
    const wrapBucket = (bucket: Bucket): Bucket => ({
      ...bucket,
      async put(key, body) {
        if (away.now) throw new Failure('UNAVAILABLE', 'cannot put secret-key at /secret/path');
        await bucket.put(key, body);
      },
    });
    return { wrapBucket, away };
  }

  test('acknowledges nothing, says so without its internals, and takes the resend', async () => {
    const { wrapBucket, away } = failing();
    const api = await openTestApi({ wrapBucket });
    away.now = true;
    const { data, errors } = await submit(api);
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
    expect(JSON.stringify(errors)).not.toContain('secret');
    expect(await total(api)).toBe(0);
    away.now = false;
    expect((await dataOf(submit(api))).submitReport.duplicate).toBe(false);
    expect(await total(api)).toBe(1);
  });

  test('is 503 for a Python client', async () => {
    const { wrapBucket, away } = failing();
    const api = await openTestApi({ wrapBucket });
    away.now = true;
    const flat = {
      cpu: 'x',
      os_username: 'a',
      os_name: 'Linux',
      server_ip: '10.0.0.1',
      timestamp: 1_700_000_000,
      os_version: '5',
    };
    const response = await api.fetch('/report', { method: 'POST', body: JSON.stringify(flat) });
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('secret');
  });
});
