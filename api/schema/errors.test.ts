/** What cannot be asked is told: the field, what was given, and what would do. On both dialects, as neither may choke on it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { dataOf, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { describeIf } from '../../test/support/needs.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../../test/support/postgres.ts';
import { hostId, result } from '../../test/support/reports.ts';

const cursor = (order: string, place: unknown) =>
  Buffer.from(JSON.stringify([order, place])).toString('base64url');
const id = hostId(1);
const ofHosts = cursor('NAME ASC', { value: 'web-1', id });
const ofReports = cursor('COLLECTED_AT DESC', { value: 1, id });

/** What is asked, where it is wrong, and what is said of it. */
type Case = [query: string, path: (string | number)[], message: RegExp];

const hosts = (args: string, selection = 'nodes { name }') => `{ hosts(${args}) { ${selection} } }`;
const filtered = (filter: string) => hosts(`filter: { ${filter} }`);
const notACursor = /: not a cursor: use an endCursor or startCursor of this list, not "/;

const cursors: Case[] = [
  ...['garbage', '', 'x'.repeat(5_000), ofHosts.slice(0, -6), 'WyJOQU1FIEFTQyIsbnVsbF0', '🦊'].map(
    (text): Case => [hosts(`after: "${text}"`), ['after'], notACursor],
  ),
  ...[
    { value: 5, id },
    { value: 'a', id: 'x' },
    { value: 'a' },
    { value: 'a\0b', id },
    { value: null, id },
    [],
  ].map((place): Case => [hosts(`before: "${cursor('NAME ASC', place)}"`), ['before'], notACursor]),
  ...[1e300, 1.5, '1', null].map(
    (value): Case => [
      `{ reports(after: "${cursor('COLLECTED_AT DESC', { value, id })}") { totalCount nodes { id } } }`,
      ['after'],
      notACursor,
    ],
  ),
  ...[
    { at: 1, report: id, plugin: 'os\0', number: 1 },
    { at: 1, report: id, plugin: 'os', number: 2 ** 40 },
    { at: 1, report: id, plugin: 'os' },
  ].map(
    (place): Case => [
      `{ changes(after: "${cursor('AT DESC', place)}") { nodes { path } } }`,
      ['after'],
      notACursor,
    ],
  ),
  [
    hosts(`after: "${ofReports}"`),
    ['after'],
    /of a list ordered by COLLECTED_AT DESC, this one is by NAME ASC: keep to one order, or begin without a cursor$/,
  ],
  [
    hosts(`orderBy: { direction: DESC }, after: "${ofHosts}"`),
    ['after'],
    /by NAME ASC, this one is by NAME DESC/,
  ],
  [
    hosts(`orderBy: { fact: "os.kernel" }, after: "${ofHosts}"`),
    ['after'],
    /by NAME ASC, this one is by os\.kernel ASC/,
  ],
  [
    `{ reports(orderBy: { field: RECEIVED_AT }, before: "${ofReports}") { nodes { id } } }`,
    ['before'],
    /by COLLECTED_AT DESC, this one is by RECEIVED_AT DESC/,
  ],
  [
    `{ changes(after: "${ofReports}") { nodes { path } } }`,
    ['after'],
    /by COLLECTED_AT DESC, this one is by AT DESC/,
  ],
  [
    hosts('first: 1', `nodes { reports(after: "${ofHosts}") { nodes { id } } }`),
    ['after'],
    /by NAME ASC, this one is by COLLECTED_AT DESC/,
  ],
];

const sizes: Case[] = [
  [hosts('first: -1'), ['first'], /must be from 0 to 1000, but is -1$/],
  [hosts('last: -1'), ['last'], /must be from 0 to 1000, but is -1$/],
  [hosts('first: 1001'), ['first'], /must be from 0 to 1000, but is 1001$/],
  [hosts('first: 2147483648'), ['first'], /Int cannot represent.*2147483648/],
  [hosts('first: "5"'), ['first'], /Int cannot represent.*"5"/],
  [hosts('first: 1, last: 1'), ['last'], /cannot be used together with first: take one of them$/],
  [
    `{ host(id: "${id}") { reports(first: 5000) { nodes { id } } } }`,
    ['first'],
    /must be from 0 to 1000, but is 5000$/,
  ],
  [
    `{ host(id: "${id}") { network { interfaces(first: -1) { name } } } }`,
    ['first'],
    /must be from 0 to 10000, but is -1$/,
  ],
  [
    `{ host(id: "${id}") { network { interfaces(first: 20000) { name } } } }`,
    ['first'],
    /must be from 0 to 10000, but is 20000$/,
  ],
  [
    `{ host(id: "${id}") { network { interfaces(offset: -1) { name } } } }`,
    ['offset'],
    /must not be negative, but is -1$/,
  ],
  [
    '{ factCounts(path: "os.kernel", first: 1001) { hosts } }',
    ['first'],
    /must be from 0 to 1000, but is 1001$/,
  ],
  [
    '{ factStats(path: "cpu.threads") { percentile(of: 101) } }',
    ['of'],
    /must be from 0 to 100, but is 101$/,
  ],
];

/** Wherever a path may stand. */
const paths: Case[] = [
  ['os.kernal', /unknown fact "os\.kernal": the plugin os has no such fact; did you mean "os\.kernel"\?$/],
  ['so.kernel', /unknown fact "so\.kernel": .*; did you mean "os\.kernel"\?$/],
  ['rack.rwo', /unknown fact "rack\.rwo": .*; did you mean "rack\.row"\?$/],
  [
    'zzzzzz.qqqqqq',
    /unknown fact "zzzzzz\.qqqqqq": no plugin of this server declares it, and no host has told it$/,
  ],
  ['r\\u0000.x', /unknown fact "r\\u0000\.x"/],
  ['network.interfaces.mak', /did you mean "network\.interfaces\.mac"\?$/],
  ['network.interfaces', /is a list of records: name a field of them, such as network\.interfaces\.name$/],
  ['cpu.utilization', /cpu\.utilization is a reading, which is measured anew each time: name a fact$/],
  ['os', /must name a fact as plugin\.field, such as os\.kernel, but is "os"$/],
  ['', /must name a fact as plugin\.field, such as os\.kernel, but is ""$/],
].flatMap(([path, message]): Case[] => [
  [`{ factCounts(path: "${path}") { hosts } }`, ['path'], message as RegExp],
  [`{ factCounts(path: "os.kernel", by: "${path}") { hosts } }`, ['by'], message as RegExp],
  [`{ factStats(path: "${path}") { count } }`, ['path'], message as RegExp],
  [hosts(`orderBy: { fact: "${path}" }`), ['orderBy', 'fact'], message as RegExp],
  [
    filtered(`and: [{}, { fact: { path: "${path}" } }]`),
    ['filter', 'and', 1, 'fact', 'path'],
    message as RegExp,
  ],
]);

const changes: Case[] = [
  ['path: "os.kernal"', ['path'], /did you mean "os\.kernel"\?$/],
  ['path: "osx"', ['path'], /unknown fact "osx": no host has told it; did you mean "os"\?$/],
  ['path: ""', ['path'], /unknown fact ""/],
  ['path: "cpu.utilization"', ['path'], /is a reading, which is measured anew each time: only facts change$/],
  [
    'plugin: ""',
    ['plugin'],
    /unknown plugin "": this server does not know it, and no host has told facts of it/,
  ],
  ['plugin: "netwrok"', ['plugin'], /unknown plugin "netwrok": .*; did you mean "network"\?$/],
  [
    'plugin: "os", path: "cpu.model"',
    ['path'],
    /cpu\.model is of another plugin than os, which filter\.plugin names: take one of them$/,
  ],
  [
    'between: { start: "2026-05-02T00:00:00Z", end: "2026-05-01T00:00:00Z" }',
    ['between'],
    /ends at 2026-05-01T00:00:00\.000Z, before it starts at 2026-05-02T00:00:00\.000Z: swap start and end$/,
  ],
  [
    'between: { start: "noon" }',
    ['between', 'start'],
    /not a point in time such as 2026-05-01T10:00:00Z: "noon"$/,
  ],
  ['host: { eq: "me" }', ['host', 'eq'], /not a UUID: "me"$/],
  [
    'hosts: { os: { kernel: { lt: "abc" } } }',
    ['hosts', 'os', 'kernel', 'lt'],
    /not a version such as 6\.1\.90: "abc"$/,
  ],
].map(([filter, path, message]) => [
  `{ changes(filter: { ${filter} }) { nodes { path } } }`,
  ['filter', ...(path as string[])],
  message as RegExp,
]);

const reversed = (shown: string) =>
  new RegExp(`nothing is within ${shown}: the range is reversed, swap its ends$`);
const subnet = /not a subnet such as 10\.2\.0\.0\/16 or 2001:db8::\/32: "/;
const address = /not an IP address such as 10\.2\.0\.7 or 2001:db8::7: "/;
const mac = /not a MAC address such as 52:54:00:12:34:56: "/;
const range = /not a range of versions such as ">=12 <13", "6\.1\.\* \|\| >=6\.6": "/;
const instant = /not a point in time such as 2026-05-01T10:00:00Z: "/;

const values: Case[] = [
  ['os: { kernel: { gt: "6.10", lt: "6.9" } }', ['os', 'kernel'], reversed('gt: "6.10" and lt: "6.9"')],
  [
    'os: { kernel: { matches: "6.1.* || >=13 <12" } }',
    ['os', 'kernel', 'matches'],
    reversed('6\\.1\\.\\* \\|\\| >=13 <12'),
  ],
  ['cpu: { threads: { gte: 8, lte: 4 } }', ['cpu', 'threads'], reversed('gte: 8 and lte: 4')],
  ['cpu: { threads: { gt: 1, gte: 8, lt: 9, lte: 4 } }', ['cpu', 'threads'], reversed('gte: 8 and lte: 4')],
  [
    'lastSeenAt: { gt: "2026-05-02T00:00:00Z", lt: "2026-05-01T00:00:00Z" }',
    ['lastSeenAt'],
    /range is reversed/,
  ],
  [
    'network: { interfaces: { length: { gt: 5, lt: 1 } } }',
    ['network', 'interfaces', 'length'],
    reversed('gt: 5 and lt: 1'),
  ],
  ['fact: { path: "rack.row", gt: 5, lt: 1 }', ['fact'], reversed('gt: 5 and lt: 1')],
  ...['10.0.0.0/33', '10/8', '10.0.0.0', '', '2001:db8::/129'].map((text) => [
    `network: { primaryAddress: { inSubnet: "${text}" } }`,
    ['network', 'primaryAddress', 'inSubnet'],
    subnet,
  ]),
  ['network: { primaryAddress: { eq: "300.1.1.1" } }', ['network', 'primaryAddress', 'eq'], address],
  ['fact: { path: "network.primaryAddress", in: ["10.0.0.1", "10.0.0"] }', ['fact', 'in'], address],
  [
    'network: { interfaces: { some: { mac: { eq: "zz:00" } } } }',
    ['network', 'interfaces', 'some', 'mac', 'eq'],
    mac,
  ],
  [
    'network: { interfaces: { some: { mac: { in: ["52:54:00:12:34"] } } } }',
    ['network', 'interfaces', 'some', 'mac', 'in'],
    mac,
  ],
  [
    'network: { interfaces: { some: { mac: { startsWith: "virtio" } } } }',
    ['network', 'interfaces', 'some', 'mac', 'startsWith'],
    /not the beginning of a MAC address such as 52:54:00: "virtio"$/,
  ],
  ...['abc', '', '>=', '>= 12 <', '>6.*'].map((text) => [
    `os: { kernel: { matches: "${text}" } }`,
    ['os', 'kernel', 'matches'],
    range,
  ]),
  ['os: { kernel: { lt: "" } }', ['os', 'kernel', 'lt'], /not a version such as 6\.1\.90: ""$/],
  [
    'os: { kernel: { lt: null } }',
    ['os', 'kernel', 'lt'],
    /must not be null: to find what is unknown, write isNull: true$/,
  ],
  ['os: { bootedAt: { gt: "yesterday" } }', ['os', 'bootedAt', 'gt'], instant],
  ['os: { bootedAt: { gt: "2026-13-01T00:00:00Z" } }', ['os', 'bootedAt', 'gt'], instant],
  ['changedSince: "noon"', ['changedSince'], instant],
  ['fact: { path: "os.bootedAt", gt: "yesterday" }', ['fact', 'gt'], instant],
  ['id: { eq: "me" }', ['id', 'eq'], /not a UUID: "me"$/],
  ['status: [ONLNE]', ['status', 0], /"ONLNE" does not exist.*Did you mean the enum value "ONLINE"/],
  ['os: { kernal: { eq: "x" } }', ['os', 'kernal'], /Did you mean "kernel"\?$/],
  [
    'os: { kernel: { like: "x" } }',
    ['os', 'kernel', 'like'],
    /"like" is not defined by type "VersionFilter"/,
  ],
  [
    'fact: { path: "os.kernel", inSubnet: "10.0.0.0/8" }',
    ['fact', 'inSubnet'],
    /is no test of a version value: that has eq, ne, in, notIn, lt/,
  ],
  ['fact: { path: "rack.row", eq: { a: 1 } }', ['fact', 'eq'], /must be a text, a number or a boolean$/],
  ['fact: { path: "rack.row", in: [1, "a"] }', ['fact', 'in'], /not a number: "a"$/],
].map(([filter, path, message]) => [
  filtered(filter as string),
  ['filter', ...(path as string[])],
  message as RegExp,
]);

const others: Case[] = [
  [
    '{ factStats(path: "os.kernel") { count } }',
    ['path'],
    /os\.kernel is no number \(its kind compares as version\): use factCounts$/,
  ],
  [
    hosts('orderBy: { fact: "network.interfaces.mac" }'),
    ['orderBy', 'fact'],
    /is in a list, of which a host may have many/,
  ],
  [hosts('orderBy: { field: NMAE }'), ['orderBy', 'field'], /Did you mean the enum value "NAME"/],
  [hosts('asOf: "noon"'), ['asOf'], instant],
  [hosts('first: 1', 'nodes { reportAt(time: "noon") { id } }'), ['time'], instant],
  ['{ reportCounts(by: WEEK) { at } }', ['by'], /"WEEK" does not exist in "ReportCountUnit" enum/],
  ['{ host(id: "me") { name } }', ['id'], /not a UUID: "me"$/],
];

function describeErrors(open: () => Promise<TestApi>): void {
  let api: TestApi;
  beforeAll(async () => {
    api = await open();
    const results = [
      result('os', { kernel: '6.1' }),
      result('rack', { row: 'a' }),
      result('network', { interfaces: [{ name: 'eth0' }] }),
    ];
    const input = { host: { id, name: 'web-1' }, collectedAt: '2026-05-01T00:00:00Z', results };
    await dataOf(api.ask(submitMutation, { input }));
  });

  test.each([...cursors, ...sizes, ...paths, ...changes, ...values, ...others])(
    '%s',
    async (query, path, message) => {
      const { errors } = await api.ask(query);
      expect(errors).toHaveLength(1);
      const { code, path: place } = errors?.[0]?.extensions ?? {};
      expect([code, place]).toEqual(['BAD_USER_INPUT', path]);
      expect(errors?.[0]?.message).toMatch(message);
    },
  );

  test('values of variables are told of as those of the text', async () => {
    const { errors } = await api.ask('query ($f: HostFilter) { hosts(filter: $f) { totalCount } }', {
      f: { and: [{}, { lastSeenAt: { gt: 'noon' } }] },
    });
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      path: ['filter', 'and', 1, 'lastSeenAt', 'gt'],
    });
    expect(errors?.[0]?.message).toMatch(instant);
  });

  test('texts that a database cannot hold find nothing, and break nothing', async () => {
    for (const query of [
      filtered('name: { eq: "a\\u0000b" }'),
      filtered('label: { name: "a\\u0000b" }'),
      filtered('label: { name: "" }'),
      filtered('result: { plugin: "os\\u0000" }'),
      filtered('fact: { path: "rack.row", contains: "\\u0000" }'),
      `{ hosts { nodes { facts(plugin: "os\\u0000") none: facts(plugin: "") } } }`,
      hosts(`after: "${cursor('NAME ASC', { value: '\ud800', id })}"`),
      '{ changes(filter: { from: "\\u0000", to: { a: "\\u0000" } }) { nodes { path } } }',
    ]) {
      expect((await api.ask(query)).errors, query).toBeUndefined();
    }
  });
}

describe('SQLite', () => describeErrors(() => openTestApi()));

describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL', () =>
  describeErrors(async () => openTestApi({ postgres: await (await startPostgres()).createDatabase() })),
);
