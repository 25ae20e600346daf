import { beforeAll, describe, expect, test } from 'vitest';
import { dataOf, openTestApi, submitMutation, type TestApi } from '../../test/support/api.ts';
import { seededRandom } from '../../test/support/noise.ts';
import { hostId } from '../../test/support/reports.ts';
import { versionKey } from '../index/comparable.ts';

type OsFacts = {
  platform: string;
  distribution: string | null;
  kernel: string | null;
  bootedAt: string | null;
};
type Interface = { name: string; mtu: number | null; addresses: { address: string }[] };
type Sent = {
  id: string;
  host: number;
  collectedAt: string;
  os: OsFacts | null;
  interfaces: Interface[] | null;
};
type Case = { filter: Record<string, unknown>; passes: (report: Sent) => boolean };

const random = seededRandom(20_260_501);
const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;

const distributions = ['Debian GNU/Linux', 'Ubuntu', 'Rocky Linux', 'debian', null];
const kernels = ['6.1.9', '6.1.90', '6.1.100', '5.15.0-105-generic', '6.6.0~rc1', '6.6.0', null];
const instants = ['2026-05-01T00:00:00Z', '2026-05-01T12:00:00+02:00', '2026-05-02T00:00:00.500Z', null];
const addresses = ['10.2.0.7', '10.2.255.1', '10.20.0.1', '192.168.1.10', '2001:db8::7', '2001:db9::1'];
const subnets = ['10.2.0.0/16', '10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32', '192.168.1.10/32'];
const names = ['eth0', 'eth1', 'lo', 'wlan0'];

function makeReport(number: number): Sent {
  const interfaces = Array.from({ length: Math.floor(random() * 3) }, () => ({
    name: pick(names),
    mtu: pick([1500, 9000, 65_536, null]),
    addresses: Array.from({ length: Math.floor(random() * 3) }, () => ({ address: pick(addresses) })),
  }));
  const os = {
    platform: pick(['linux', 'darwin']),
    distribution: pick(distributions),
    kernel: pick(kernels),
  };
  return {
    id: `0198f3a0-0000-7000-9000-${String(number).padStart(12, '0')}`,
    host: Math.floor(random() * 6) + 1,
    collectedAt: new Date(Date.UTC(2026, 4, 1, Math.floor(random() * 48))).toISOString(),
    os: random() < 0.85 ? { ...os, bootedAt: pick(instants) } : null,
    interfaces: random() < 0.85 ? interfaces : null,
  };
}

const within = (subnet: string, address: string): boolean => {
  const inside: Record<string, RegExp> = {
    '10.2.0.0/16': /^10\.2\./,
    '10.0.0.0/8': /^10\./,
    '0.0.0.0/0': /\./,
    '2001:db8::/32': /^2001:db8:/,
    '192.168.1.10/32': /^192\.168\.1\.10$/,
  };
  return inside[subnet]?.test(address) ?? false;
};

/** Single conditions, each with the plain meaning it is held against. */
const leaves: (() => Case)[] = [
  () => {
    const name = pick(distributions.filter((value) => value !== null));
    const op = pick(['eq', 'ne', 'contains', 'startsWith', 'endsWith'] as const);
    const argument = op === 'eq' || op === 'ne' ? name : pick(['Deb', 'i', 'Linux', 'an', '']);
    const holds = (value: string) =>
      ({
        eq: value === argument,
        ne: value !== argument,
        contains: value.includes(argument),
        startsWith: value.startsWith(argument),
        endsWith: value.endsWith(argument),
      })[op];
    return {
      filter: { os: { distribution: { [op]: argument } } },
      passes: ({ os }) => os !== null && os.distribution !== null && holds(os.distribution),
    };
  },
  () => {
    const chosen = [pick(distributions), pick(distributions)].filter((value) => value !== null);
    const op = pick(['in', 'notIn'] as const);
    return {
      filter: { os: { distribution: { [op]: chosen } } },
      passes: ({ os }) =>
        os !== null && os.distribution !== null && chosen.includes(os.distribution) === (op === 'in'),
    };
  },
  () => {
    const bound = pick(kernels.filter((value) => value !== null));
    const op = pick(['lt', 'lte', 'gt', 'gte', 'eq'] as const);
    const holds = (kernel: string) => {
      const [a, b] = [versionKey(kernel), versionKey(bound)];
      return { lt: a < b, lte: a <= b, gt: a > b, gte: a >= b, eq: a === b }[op];
    };
    return {
      filter: { os: { kernel: { [op]: bound } } },
      passes: ({ os }) => os !== null && os.kernel !== null && holds(os.kernel),
    };
  },
  () => {
    const isNull = pick([true, false]);
    return {
      filter: { os: { kernel: { isNull } } },
      passes: ({ os }) => os !== null && (os.kernel === null) === isNull,
    };
  },
  () => {
    const bound = pick(['2026-05-01T10:00:00Z', '2026-05-01T00:00:00.000Z', '2026-05-03T00:00:00Z']);
    const op = pick(['lt', 'gte'] as const);
    return {
      filter: { os: { bootedAt: { [op]: bound } } },
      passes: ({ os }) =>
        os?.bootedAt != null && Date.parse(os.bootedAt) < Date.parse(bound) === (op === 'lt'),
    };
  },
  () => {
    const name = pick(names);
    return {
      filter: { network: { interfaces: { some: { name: { eq: name } } } } },
      passes: ({ interfaces }) => interfaces?.some((item) => item.name === name) ?? false,
    };
  },
  () => {
    // Both must hold for one and the same interface.
    const [name, mtu] = [pick(names), pick([1500, 9000])];
    return {
      filter: { network: { interfaces: { some: { name: { eq: name }, mtu: { gte: mtu } } } } },
      passes: ({ interfaces }) =>
        interfaces?.some((item) => item.name === name && item.mtu !== null && item.mtu >= mtu) ?? false,
    };
  },
  () => {
    const name = pick(names);
    return {
      filter: { network: { interfaces: { some: { name: { eq: name }, mtu: { isNull: true } } } } },
      passes: ({ interfaces }) =>
        interfaces?.some((item) => item.name === name && item.mtu === null) ?? false,
    };
  },
  () => {
    const [name, subnet] = [pick(names), pick(subnets)];
    const some = { name: { ne: name }, addresses: { some: { address: { inSubnet: subnet } } } };
    return {
      filter: { network: { interfaces: { some } } },
      passes: ({ interfaces }) =>
        interfaces?.some(
          (item) => item.name !== name && item.addresses.some(({ address }) => within(subnet, address)),
        ) ?? false,
    };
  },
  () => {
    const hosts = [pick([1, 2, 3]), pick([4, 5, 6])];
    return { filter: { host: { in: hosts.map(hostId) } }, passes: ({ host }) => hosts.includes(host) };
  },
  () => {
    const host = pick([1, 2, 3, 4, 5, 6]);
    return { filter: { hostName: { endsWith: `-${host}` } }, passes: (report) => report.host === host };
  },
  () => {
    const hour = Math.floor(random() * 48);
    const bound = new Date(Date.UTC(2026, 4, 1, hour));
    return {
      filter: { collectedAt: { gte: bound.toISOString() } },
      passes: ({ collectedAt }) => Date.parse(collectedAt) >= bound.getTime(),
    };
  },
];

function makeCase(depth: number): Case {
  const kind = depth === 0 ? 'leaf' : pick(['leaf', 'and', 'or', 'not'] as const);
  if (kind === 'leaf') return pick(leaves)();
  if (kind === 'not') {
    const inner = makeCase(depth - 1);
    return { filter: { not: inner.filter }, passes: (report) => !inner.passes(report) };
  }
  const inner = Array.from({ length: Math.floor(random() * 3) }, () => makeCase(depth - 1));
  const passes = (report: Sent) =>
    kind === 'and' ? inner.every((part) => part.passes(report)) : inner.some((part) => part.passes(report));
  return { filter: { [kind]: inner.map(({ filter }) => filter) }, passes };
}

describe('report filters', () => {
  const reports = Array.from({ length: 120 }, (_, number) => makeReport(number));
  let api: TestApi;

  beforeAll(async () => {
    api = await openTestApi();
    await Promise.all(
      reports.map(({ id, host, collectedAt, os, interfaces }) => {
        const results = [
          ...(os ? [{ plugin: 'os', status: 'OK', facts: os }] : []),
          ...(interfaces ? [{ plugin: 'network', status: 'OK', facts: { interfaces } }] : []),
        ];
        const input = { id, host: { id: hostId(host), name: `web-${host}` }, collectedAt, results };
        return dataOf(api.ask(submitMutation, { input }));
      }),
    );
  });

  test('400 random filters find exactly what they mean', async () => {
    const query = 'query ($f: ReportFilter) { reports(filter: $f, first: 1000) { totalCount nodes { id } } }';
    let matches = 0;
    for (let round = 0; round < 400; round += 1) {
      const { filter, passes } = makeCase(3);
      const found = (await dataOf(api.ask(query, { f: filter }))).reports;
      const expected = reports.filter(passes).map(({ id }) => id);
      const ids = found.nodes.map(({ id }: { id: string }) => id);
      expect(ids.toSorted(), JSON.stringify(filter)).toEqual(expected.toSorted());
      expect(found.totalCount).toBe(expected.length);
      matches += expected.length;
    }
    // Neither everything nor nothing: the filters did tell reports apart.
    expect(matches).toBeGreaterThan(400 * 120 * 0.1);
    expect(matches).toBeLessThan(400 * 120 * 0.9);
  });

  test('hosts are filtered by their newest facts', async () => {
    const query = 'query ($f: HostFilter) { hosts(filter: $f) { nodes { id } } }';
    for (let round = 0; round < 60; round += 1) {
      const { filter, passes } = pick(leaves)();
      if (!('os' in filter || 'network' in filter)) continue;
      const plugin = 'os' in filter ? 'os' : 'interfaces';
      const expected = [1, 2, 3, 4, 5, 6].filter((host) => {
        const told = reports.filter((report) => report.host === host && report[plugin] !== null);
        const order = (report: Sent) => `${report.collectedAt} ${report.id}`;
        const newest = told.toSorted((a, b) => (order(a) < order(b) ? 1 : -1))[0];
        return newest !== undefined && passes(newest);
      });
      const { hosts } = await dataOf(api.ask(query, { f: filter }));
      const ids = hosts.nodes.map(({ id }: { id: string }) => id);
      expect(ids.toSorted(), JSON.stringify(filter)).toEqual(expected.map(hostId));
    }
  });

  test.each([
    ['{ os: { kernel: { lt: null } } }', ['filter', 'os', 'kernel', 'lt']],
    [
      '{ network: { primaryAddress: { inSubnet: "10/8" } } }',
      ['filter', 'network', 'primaryAddress', 'inSubnet'],
    ],
    ['{ network: { primaryAddress: { eq: "10.0.0" } } }', ['filter', 'network', 'primaryAddress', 'eq']],
    [
      '{ and: [{}, { network: { dnsServers: { some: { in: ["x"] } } } }] }',
      ['filter', 'and', 1, 'network', 'dnsServers', 'some', 'in'],
    ],
    ['{ host: { eq: "me" } }', ['filter', 'host', 'eq']],
    ['{ collectedAt: { gt: "yesterday" } }', ['filter', 'collectedAt', 'gt']],
    [`${'{ not: '.repeat(25)}{}${' }'.repeat(25)}`, ['filter', ...Array(20).fill('not')]],
    [`{ or: [${'{},'.repeat(101)}] }`, ['filter', 'or']],
    [`{ hostName: { in: [${'"a",'.repeat(1001)}] } }`, ['filter', 'hostName', 'in']],
  ])('%s is told to be wrong, and where', async (filter, path) => {
    const { errors } = await api.ask(`{ reports(filter: ${filter}) { totalCount } }`);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
  });
});
