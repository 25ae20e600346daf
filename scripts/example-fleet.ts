/**
 * example-fleet: the five hosts whose answers docs/queries.md shows, over a week that ends at `fleetNow`.
 *
 * The same every time. In that week one host takes a kernel, one gains an account, one gets jumbo frames, one
 * falls silent, and on one the network plugin hangs.
 */
import { reportFormat, type StoredReport, type StoredResult } from '../api/log/stored-report.ts';
import { bytes, definePlugin, duration, text } from '../plugins/plugin.ts';

export const fleetNow = Date.parse('2026-05-08T12:00:00Z');

/** A plugin of the operator's own, which the server knows; `rack` is one that it does not know. */
export const backupPlugin = definePlugin({
  name: 'backup',
  version: 1,
  description: 'The last backup',
  facts: {
    target: text('Where it went'),
    totalBytes: bytes('Its size'),
    elapsed: duration('How long it took'),
  },
  collect: async () => null,
});

type Host = {
  name: string;
  labels: Record<string, string>;
  distribution: string;
  distributionId: string;
  version: string;
  codename: string | null;
  model: string;
  threads: number;
  address: string;
  rack: { row: number; slot: number } | null;
  kernel(at: number): string;
  /** @default root alone */
  accounts?(at: number): string[];
  /** @default 1500 */
  mtu?(at: number): number;
  /** Interfaces beside eth0 and lo. */
  tunnels?: string[];
  silentFrom?: number;
  networkHangs?(at: number): boolean;
  backup?: { target: string; totalBytes: number; elapsed: number } | 'TIMEOUT';
};

const day = (number: number, hour = 0) => Date.UTC(2026, 4, number, hour);

const debian12 = {
  distribution: 'Debian GNU/Linux',
  distributionId: 'debian',
  version: '12',
  codename: 'bookworm',
};
const xeon = { model: 'Intel Xeon Processor (Skylake, IBRS)', threads: 2 };

const hosts: Host[] = [
  {
    ...debian12,
    ...xeon,
    name: 'web1',
    labels: { environment: 'production', role: 'web' },
    address: '10.2.0.11',
    rack: { row: 7, slot: 21 },
    kernel: (at) => `6.1.0-${at < day(6, 3) ? 34 : at < fleetNow ? 37 : 38}-amd64`,
    backup: { target: 'vault1', totalBytes: 3 * 1024 ** 3, elapsed: 95 },
  },
  {
    ...debian12,
    ...xeon,
    name: 'web2',
    labels: { environment: 'production', role: 'web' },
    address: '10.2.0.12',
    rack: { row: 7, slot: 22 },
    kernel: () => '6.1.0-37-amd64',
    accounts: (at) => (at < day(7, 9) ? ['root'] : ['root', 'alice']),
    backup: 'TIMEOUT',
  },
  {
    name: 'db1',
    labels: { environment: 'production', role: 'database' },
    distribution: 'Rocky Linux',
    distributionId: 'rocky',
    version: '9.5',
    codename: null,
    model: 'AMD EPYC 9354 32-Core Processor',
    threads: 16,
    address: '10.3.0.5',
    rack: { row: 8, slot: 3 },
    kernel: () => '5.14.0-503.14.1.el9_5.x86_64',
    accounts: () => ['root', 'postgres'],
    mtu: (at) => (at < day(5, 15) ? 1500 : 9000),
    backup: { target: 'vault1', totalBytes: 420 * 1024 ** 3, elapsed: 5400 },
  },
  {
    name: 'build1',
    labels: { environment: 'staging', role: 'build' },
    distribution: 'Ubuntu',
    distributionId: 'ubuntu',
    version: '24.04',
    codename: 'noble',
    model: 'AMD EPYC 7763 64-Core Processor',
    threads: 8,
    address: '10.4.0.9',
    rack: null,
    kernel: () => '6.8.0-60-generic',
    tunnels: ['wg0'],
    networkHangs: (at) => at > day(8, 8),
  },
  {
    name: 'old1',
    labels: { environment: 'production', role: 'mail' },
    distribution: 'Debian GNU/Linux',
    distributionId: 'debian',
    version: '11',
    codename: 'bullseye',
    ...xeon,
    address: '10.2.0.99',
    rack: null,
    kernel: () => '5.10.0-34-amd64',
    silentFrom: day(5),
  },
];

const intervalSeconds = 6 * 3600;
const ticks = 28;

/** All that they reported, the oldest first. */
export function exampleReports(): StoredReport[] {
  const reports: StoredReport[] = [];
  for (let tick = 0; tick < ticks; tick += 1) {
    for (const [number, host] of hosts.entries()) {
      const at =
        fleetNow - (ticks - tick) * intervalSeconds * 1000 + (intervalSeconds - 60 * (5 - number)) * 1000;
      if (at < (host.silentFrom ?? Number.POSITIVE_INFINITY)) reports.push(reportOf(host, number, at));
    }
  }
  return reports;
}

/** What the first host sends then: it has taken another kernel. */
export function nextReport(): StoredReport {
  const [host] = hosts;
  if (!host) throw new Error('there is a host above');
  return reportOf(host, 0, fleetNow);
}

function reportOf(host: Host, number: number, at: number): StoredReport {
  const time = at.toString(16).padStart(12, '0');
  const id = (kind: string) => `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${kind.padStart(12, '0')}`;
  return {
    format: reportFormat,
    id: id(`b${number}`),
    host: {
      id: `0198f3a0-0000-7000-8000-${String(number + 1).padStart(12, '0')}`,
      name: host.name,
      labels: host.labels,
    },
    agentVersion: '0.1.0',
    intervalSeconds,
    collectedAt: new Date(at).toISOString(),
    receivedAt: new Date(at + 1000).toISOString(),
    results: [cpuOf(host), userOf(host, at), osOf(host, at), networkOf(host, at), ...extrasOf(host)],
  };
}

function ok(plugin: string, facts: unknown, readings: unknown = null): StoredResult {
  return { plugin, version: 1, status: 'OK', durationMs: 1.5, facts, readings, error: null };
}

function timedOut(plugin: string, seconds: number): StoredResult {
  const error = `took longer than ${seconds}s`;
  const durationMs = seconds * 1000;
  return { plugin, version: 1, status: 'TIMEOUT', durationMs, facts: null, readings: null, error };
}

function cpuOf({ model, threads }: Host): StoredResult {
  return ok('cpu', { model, threads, architecture: 'x86_64', sockets: 1 }, { utilization: 0.25 });
}

function userOf({ accounts = () => ['root'] }: Host, at: number): StoredResult {
  const account = (name: string, index: number) => ({
    name,
    uid: index === 0 ? 0 : 999 + index,
    home: index === 0 ? '/root' : `/home/${name}`,
    shell: '/bin/bash',
  });
  return ok('user', { name: 'inspector', uid: 998, accounts: accounts(at).map(account) });
}

function osOf(
  { name, distribution, distributionId, version, codename, kernel }: Host,
  at: number,
): StoredResult {
  const bootedAt = at >= fleetNow ? fleetNow - 60_000 : kernel(at) === kernel(0) ? day(-20) : day(6, 2);
  const facts = { platform: 'linux', distribution, distributionId, version, codename };
  return ok(
    'os',
    { ...facts, kernel: kernel(at), hostname: name, bootedAt: new Date(bootedAt).toISOString() },
    { uptimeSeconds: (at - bootedAt) / 1000 },
  );
}

function networkOf(host: Host, at: number): StoredResult {
  if (host.networkHangs?.(at)) return timedOut('network', 10);
  const { address, mtu = () => 1500, tunnels = [] } = host;
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  const addresses = [{ address, prefixLength: 16, family: 'ipv4', scope: 'global' }];
  const loopback = [{ address: '127.0.0.1', prefixLength: 8, family: 'ipv4', scope: 'host' }];
  return ok('network', {
    primaryAddress: address,
    interfaces: [
      {
        name: 'eth0',
        mac: `02:fc:${octets.join(':')}`,
        type: 'ethernet',
        state: 'up',
        mtu: mtu(at),
        addresses,
      },
      { name: 'lo', mac: null, type: 'loopback', state: 'unknown', mtu: 65_536, addresses: loopback },
      ...tunnels.map((name) => ({
        name,
        mac: null,
        type: 'none',
        state: 'unknown',
        mtu: 1420,
        addresses: [],
      })),
    ],
    dnsServers: ['10.0.0.2'],
  });
}

function extrasOf({ rack, backup }: Host): StoredResult[] {
  const own = backup === 'TIMEOUT' ? timedOut('backup', 10) : backup && ok('backup', backup);
  return [...(own ? [own] : []), ...(rack ? [ok('rack', rack)] : [])];
}
