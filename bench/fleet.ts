/**
 * fleet: a made-up fleet with realistic churn, the same for the same seed and order of asking.
 *
 * Reports are made as they are asked for: a fleet holds 200 bytes a host, whatever it reports. Hosts share models and
 * distributions as real fleets do; what is a host's own (name, addresses) differs. Now and then one reboots, takes a
 * kernel, gains an account or another address: then its facts change, otherwise only its readings do. Rarely a plugin
 * fails.
 */
import type { StoredReport, StoredResult } from '../api/log/stored-report.ts';
import { reportFormat } from '../api/log/stored-report.ts';
import { seededRandom } from '../test/support/noise.ts';

export type Fleet = {
  hosts: number;
  /** Of each host, by its number. */
  hostIds: readonly string[];
  /** The report that host `host` sends at its `tick`th interval. Ticks of a host must be asked for in order. */
  report(host: number, tick: number): StoredReport;
  /** The next so many reports of all, by the hosts' clocks: those of every host at its first tick, and so on. */
  next(count: number): Generator<StoredReport>;
};

export type FleetOptions = {
  hosts: number;
  /** @default an hour */
  intervalSeconds?: number;
  /** When tick 0 is, milliseconds since 1970. @default fleetStart */
  startAt?: number;
  /** @default 1 */
  seed?: number;
};

export const fleetStart = Date.parse('2026-01-01T00:00:00Z');

/** Chances of a change, for each report. Hourly reports: a reboot every six weeks, and so on. */
const chanceOf = { reboot: 1 / 1000, kernel: 1 / 1500, account: 1 / 5000, address: 1 / 5000 };
/** Chances that a plugin gives nothing, for each report: one at which most hosts have been once, and one that few have. */
const chanceOfFailure = { network: 1 / 5000, user: 1 / 500_000 };

/** One host in ten is for tests, the others are not. */
const environmentOf = (host: number) => (host % 10 === 0 ? 'staging' : 'production');
/** Forty hosts in each. */
export const rackOf = (host: number) => `r${Math.floor(host / 40)}`;
/** One host in twenty runs on no hypervisor. */
const hasHypervisor = (host: number) => host % 20 !== 0;

const cpuModels = [
  { model: 'Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz', vendor: 'GenuineIntel', cores: 16 },
  { model: 'AMD EPYC 7763 64-Core Processor', vendor: 'AuthenticAMD', cores: 8 },
  { model: 'AMD EPYC 9354 32-Core Processor', vendor: 'AuthenticAMD', cores: 4 },
  { model: 'Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz', vendor: 'GenuineIntel', cores: 2 },
];
/** A third of all hosts have this one, and one single host the other. */
export const commonDistribution = 'Debian GNU/Linux';
export const rareDistribution = 'Slackware';
const distributions = [
  { distribution: commonDistribution, distributionId: 'debian', version: '12', pointRelease: '12.11' },
  { distribution: 'Ubuntu', distributionId: 'ubuntu', version: '24.04', pointRelease: '24.04.2' },
  { distribution: 'Rocky Linux', distributionId: 'rocky', version: '9.5', pointRelease: '9.5' },
];

type Host = {
  id: string;
  number: number;
  bootedAt: number;
  kernel: number;
  accounts: number;
  /** The third octet of its address, which stays its own. */
  network: number;
};

export function makeFleet(options: FleetOptions): Fleet {
  const { hosts, intervalSeconds = 3600, startAt = fleetStart, seed = 1 } = options;
  const random = seededRandom(seed);
  const known: Host[] = Array.from({ length: hosts }, (_, number) => ({
    id: uuidV7(startAt - 1000 * number, random),
    number,
    bootedAt: startAt - Math.floor(random() * 40 * 86_400) * 1000,
    kernel: Math.floor(random() * 12),
    accounts: 1 + Math.floor(random() * 3),
    network: 0,
  }));
  function report(number: number, tick: number): StoredReport {
    const host = known[number];
    if (!host) throw new RangeError(`no host ${number} among ${hosts}`);
    // Spread over the interval, as the hosts' own splay does.
    const at = startAt + (tick + number / hosts) * intervalSeconds * 1000;
    if (tick > 0) change(host, at, random);
    return reportOf(host, Math.floor(at), intervalSeconds, random);
  }
  let told = 0;
  return {
    hosts,
    hostIds: known.map(({ id }) => id),
    report,
    *next(count) {
      for (const end = told + count; told < end; told += 1)
        yield report(told % hosts, Math.floor(told / hosts));
    },
  };
}

function change(host: Host, at: number, random: () => number): void {
  if (random() < chanceOf.kernel) {
    host.kernel += 1;
    host.bootedAt = Math.floor(at / 1000 - 90) * 1000;
  }
  if (random() < chanceOf.reboot) host.bootedAt = Math.floor(at / 1000 - 45) * 1000;
  if (random() < chanceOf.account) host.accounts = 1 + ((host.accounts + 1) % 6);
  if (random() < chanceOf.address) host.network = (host.network + 1) % 4;
}

function reportOf(host: Host, at: number, intervalSeconds: number, random: () => number): StoredReport {
  return {
    format: reportFormat,
    id: uuidV7(at, random),
    host: {
      id: host.id,
      name: `node-${host.number}.example.net`,
      labels: { environment: environmentOf(host.number), rack: rackOf(host.number) },
    },
    agentVersion: '0.1.0',
    intervalSeconds,
    collectedAt: new Date(at).toISOString(),
    receivedAt: new Date(at + 20 + Math.floor(random() * 200)).toISOString(),
    results: [
      cpuOf(host, random),
      mayFail(userOf(host, random), chanceOfFailure.user, 'ERROR', 'cannot read /etc/passwd', random),
      osOf(host, at, random),
      mayFail(networkOf(host, random), chanceOfFailure.network, 'TIMEOUT', 'took longer than 5 s', random),
    ],
  };
}

function result(plugin: string, facts: unknown, readings: unknown, random: () => number): StoredResult {
  const durationMs = Math.round(random() * 3000) / 1000;
  return { plugin, version: 1, status: 'OK', durationMs, facts, readings, error: null };
}

function mayFail(
  told: StoredResult,
  chance: number,
  status: StoredResult['status'],
  error: string,
  random: () => number,
): StoredResult {
  return random() < chance ? { ...told, status, facts: null, readings: null, error } : told;
}

function cpuOf(host: Host, random: () => number): StoredResult {
  const { model, vendor, cores } = cpuModels[host.number % cpuModels.length] ?? cpuModels[0] ?? raise();
  const load = () => Math.round(random() * cores * 100) / 100;
  const facts = {
    model,
    vendor,
    architecture: 'x86_64',
    sockets: 1,
    cores,
    threads: cores * 2,
    baseFrequency: 2_900_000_000,
    maxFrequency: 3_500_000_000,
    microcode: '0xd0003f5',
    virtualization: null,
    hypervisor: hasHypervisor(host.number),
  };
  const utilization = Math.round(random() * 10_000) / 10_000;
  return result('cpu', facts, { utilization, load1: load(), load5: load(), load15: load() }, random);
}

function userOf(host: Host, random: () => number): StoredResult {
  const person = (number: number) => ({
    name: number === 0 ? 'root' : `user${number}`,
    uid: number === 0 ? 0 : 999 + number,
    gid: number === 0 ? 0 : 999 + number,
    fullName: null,
    home: number === 0 ? '/root' : `/home/user${number}`,
    shell: '/bin/bash',
  });
  const facts = {
    name: 'os-inspector',
    uid: 998,
    gid: 998,
    primaryGroup: 'os-inspector',
    home: '/',
    shell: '/usr/sbin/nologin',
    accounts: Array.from({ length: host.accounts }, (_, number) => person(number)),
  };
  return result('user', facts, { sessions: [], sessionCount: 0 }, random);
}

function osOf(host: Host, at: number, random: () => number): StoredResult {
  const shared = distributions[host.number % distributions.length] ?? raise();
  const hostname = `node-${host.number}`;
  const facts = {
    platform: 'linux',
    ...(host.number === 7
      ? { ...shared, distribution: rareDistribution, distributionId: 'slackware' }
      : shared),
    codename: null,
    kernel: `6.1.0-${20 + host.kernel}-amd64`,
    architecture: 'x86_64',
    hostname,
    fqdn: `${hostname}.example.net`,
    timezone: 'Etc/UTC',
    virtualization: 'kvm',
    container: null,
    bootedAt: new Date(host.bootedAt).toISOString(),
  };
  const uptimeSeconds = Math.round((at - host.bootedAt) / 10) / 100;
  return result('os', facts, { uptimeSeconds }, random);
}

/** The address that a host has at first: another of its own after each move. */
export function addressOf(host: number, network = 0): string {
  return `10.${network * 64 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
}

/** Of its one card. */
export function macOf(host: number): string {
  const octet = (value: number) => (value & 255).toString(16).padStart(2, '0');
  return `02:fc:${octet(host >> 16)}:${octet(host >> 8)}:${octet(host)}:01`;
}

function networkOf(host: Host, random: () => number): StoredResult {
  const address = addressOf(host.number, host.network);
  const link = { name: 'eth0', mac: macOf(host.number), type: 'ethernet', state: 'up', mtu: 1500 };
  const facts = {
    primaryAddress: address,
    interfaces: [
      { ...link, addresses: [{ address, prefixLength: 16, family: 'ipv4', scope: 'global' }] },
      {
        name: 'lo',
        mac: null,
        type: 'loopback',
        state: 'unknown',
        mtu: 65_536,
        addresses: [{ address: '127.0.0.1', prefixLength: 8, family: 'ipv4', scope: 'host' }],
      },
    ],
    defaultGateways: [{ address: '10.0.0.1', interface: 'eth0', family: 'ipv4', metric: null }],
    dnsServers: ['10.0.0.2'],
    searchDomains: ['example.net'],
  };
  return result('network', facts, null, random);
}

/** Of the given instant, the rest from `random`: the same fleet has the same ids every time. */
function uuidV7(at: number, random: () => number): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  const time = Math.floor(at).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`;
}

function raise(): never {
  throw new Error('the tables above are never empty');
}
