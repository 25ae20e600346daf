import { isIPv6 } from 'node:net';
import os from 'node:os';
import { expect, test } from 'vitest';
import { collectChecked, collectContext } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import network from './network.ts';
import { parseIpv4DefaultRoutes, parseIpv6DefaultRoutes, sortRoutes } from './sources/default-routes.ts';
import { ipv4FromHex, ipv6FromHex, withoutZone } from './sources/ip-address.ts';
import { linkType } from './sources/linux-interfaces.ts';
import { macOrNull } from './sources/mac-address.ts';
import { toPortableNetwork } from './sources/network.portable.ts';
import { primaryAddress } from './sources/primary-address.ts';
import { isStub, parseResolvConf } from './sources/resolv-conf.ts';

type Interface = { name: string; mac: string | null; addresses: { address: string; family: string }[] };

test('this host: interfaces and addresses agree with node:os', async () => {
  const values = await collectChecked(network, collectContext('/'));
  const interfaces = values.interfaces as Interface[];
  const told = interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address));
  const infos = Object.values(os.networkInterfaces()).flatMap((infos) => infos ?? []);
  expect(told.sort()).toEqual(infos.map(({ address }) => address).sort());
  const macs = interfaces.map(({ mac }) => mac);
  for (const { mac, internal } of infos) if (!internal && macOrNull(mac)) expect(macs).toContain(mac);
  const names = interfaces.map(({ name }) => name);
  expect(names).toEqual([...names].sort());
  if (values.primaryAddress !== null) expect(told).toContain(values.primaryAddress);
});

const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

test('IPv4 default routes, in either byte order', () => {
  const table = `${head}eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n`;
  const route = { gateway: '192.168.1.1', interface: 'eth0', family: 'ipv4', metric: 100 };
  expect(parseIpv4DefaultRoutes(table, 'LE')).toEqual([route]);
  expect(parseIpv4DefaultRoutes(table.replace('0101A8C0', 'C0A80101'), 'BE')).toEqual([route]);
});

test.each([
  ['a half of the address space', 'tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0'],
  ['a route that refuses', 'lo\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0'],
  ['a route that is down', 'eth0\t00000000\t0101A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0'],
  ['a torn line', 'eth0\t00000000\t0101'],
  ['a network', 'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0'],
])('%s is no default route', (_, line) => {
  expect(parseIpv4DefaultRoutes(head + line, 'LE')).toEqual([]);
});

test('a link with one other end has a default route without a gateway', () => {
  const table = `${head}wg0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0\n`;
  expect(parseIpv4DefaultRoutes(table, 'LE')).toEqual([
    { gateway: null, interface: 'wg0', family: 'ipv4', metric: 50 },
  ]);
});

test('IPv6 default routes, without the one of last resort', () => {
  const zeros = '0'.repeat(32);
  const via = 'fe800000000000000000000000000001';
  const table = [
    `${zeros} 00 ${zeros} 00 ${via} 00000400 00000002 00000000 00000003     eth0`,
    `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo`,
    `${via} 80 ${zeros} 00 ${zeros} 00000000 00000002 00000000 80200001     eth0`,
  ].join('\n');
  expect(parseIpv6DefaultRoutes(table)).toEqual([
    { gateway: 'fe80::1', interface: 'eth0', family: 'ipv6', metric: 1024 },
  ]);
});

test('the preferred route is IPv4, then the one of the lowest metric', () => {
  const route = (family: 'ipv4' | 'ipv6', metric: number) => ({
    gateway: null,
    interface: 'x',
    family,
    metric,
  });
  const routes = [route('ipv6', 1), route('ipv4', 600), route('ipv4', 100)];
  expect(sortRoutes(routes).map(({ metric }) => metric)).toEqual([100, 600, 1]);
});

test('addresses from hexadecimal digits', () => {
  expect(ipv4FromHex('010200C0', 'LE')).toBe('192.0.2.1');
  expect(ipv4FromHex('10200C0', 'LE')).toBeNull();
  expect(ipv6FromHex('20010db8000000000000000000000001')).toBe('2001:db8::1');
  expect(ipv6FromHex('00000000000000000000ffffc0000201')).toSatisfy(isIPv6);
  expect(ipv6FromHex('xyz')).toBeNull();
});

test('zones are taken off', () => {
  expect(withoutZone('fe80::1%eth0')).toBe('fe80::1');
  expect(withoutZone('192.0.2.1')).toBe('192.0.2.1');
  expect(withoutZone('example.org')).toBeNull();
});

test.each([
  ['52:54:00:AB:CD:EF', '52:54:00:ab:cd:ef'],
  ['52-54-00-AB-CD-EF', '52:54:00:ab:cd:ef'],
  ['00:11:22:33:44:55:66:77', '00:11:22:33:44:55:66:77'],
  ['00:00:00:00:00:00', null],
  ['00:00:00:00', null],
  ['c0:00:02:01', null],
  ['', null],
  [null, null],
])('hardware address %j is %j', (address, expected) => {
  expect(macOrNull(address)).toBe(expected);
});

test.each([
  ['ethernet', '1', 'INTERFACE=eth0', ['device']],
  ['virtual', '1', 'INTERFACE=veth0', []],
  ['vlan', '1', 'DEVTYPE=vlan\nINTERFACE=eth0.5', []],
  ['wireless', '1', 'DEVTYPE=wlan', ['device', 'phy80211']],
  ['wireless', '1', '', ['device', 'phy80211']],
  ['bridge', '1', '', ['bridge']],
  ['bond', '1', '', ['bonding']],
  ['tunnel', '65534', '', ['tun_flags']],
  ['tunnel', '776', '', []],
  ['loopback', '772', '', []],
  ['infiniband', '32', '', ['device']],
  ['virtual', '65534', '', []],
  [null, null, null, []],
])('type %s of ARP type %j, %j and %j', (expected, arpType, uevent, entries) => {
  const link = { name: 'x', mac: null, mtu: null, operstate: null, arpType, uevent, entries };
  expect(linkType(link)).toBe(expected);
});

const at = (address: string, scope: 'host' | 'link' | 'global' = 'global') => ({
  address,
  prefixLength: 24,
  family: address.includes(':') ? ('ipv6' as const) : ('ipv4' as const),
  scope,
});

test('the primary address is on the interface of the best route', () => {
  const interfaces = [
    { name: 'docker0', addresses: [at('172.17.0.1')] },
    { name: 'eth0', addresses: [at('169.254.1.1', 'link'), at('10.0.0.5'), at('2001:db8::5')] },
  ];
  expect(primaryAddress(interfaces, [{ interface: 'eth0', family: 'ipv4' }], [])).toBe('10.0.0.5');
  expect(primaryAddress(interfaces, [{ interface: 'eth0', family: 'ipv6' }], [])).toBe('2001:db8::5');
  expect(primaryAddress(interfaces, [{ interface: 'docker0', family: 'ipv4' }], [])).toBe('172.17.0.1');
});

test('without a default route the primary address is on an interface with a device, or there is none', () => {
  const docker0 = { name: 'docker0', addresses: [at('172.17.0.1')] };
  const eth0 = { name: 'eth0', addresses: [at('2001:db8::5'), at('10.0.0.5')] };
  const gone = [{ interface: 'gone', family: 'ipv4' as const }];
  expect(primaryAddress([docker0, eth0], gone, ['eth0'])).toBe('10.0.0.5');
  expect(primaryAddress([docker0], gone, ['eth0'])).toBeNull();
  expect(primaryAddress([docker0], [], [])).toBeNull();
  const a = { name: 'a', addresses: [at('169.254.1.1', 'link'), at('2001:db8::9')] };
  expect(primaryAddress([a], [], ['a'])).toBe('2001:db8::9');
});

test.runIf(process.platform === 'linux')('a container bridge alone gives no primary address', async () => {
  const address = (address: string, mac: string) => [
    { address, netmask: '255.255.0.0', family: 'IPv4', mac, internal: false, cidr: `${address}/16` },
  ];
  const networkInterfaces = {
    docker0: address('172.17.0.1', '02:42:00:00:00:01'),
    eth0: address('10.0.0.5', '52:54:00:00:00:01'),
  };
  const files = {
    'node-os.json': JSON.stringify({ networkInterfaces }),
    'sys/class/net/docker0/bridge/id': '8000',
    'sys/class/net/eth0/type': '1',
  };
  const primary = async (more: object) =>
    (await collectChecked(network, collectContext(await temporaryFolder({ ...files, ...more }))))
      .primaryAddress;
  expect(await primary({})).toBeNull();
  expect(await primary({ 'sys/class/net/eth0/device/uevent': '' })).toBe('10.0.0.5');
});

test('resolv.conf: the last of search and domain counts, comments do not', () => {
  const file =
    'domain a.example\nsearch b.example. c.example\n#nameserver 192.0.2.1\nnameserver 192.0.2.2 ; x\n';
  expect(parseResolvConf(file)).toEqual({
    servers: ['192.0.2.2'],
    searchDomains: ['b.example', 'c.example'],
  });
  expect(parseResolvConf('search b.example\ndomain a.example\n').searchDomains).toEqual(['a.example']);
  expect(parseResolvConf('search .\n').searchDomains).toEqual([]);
});

test('only resolved on this host is its stub', () => {
  const stub = (...servers: string[]) => isStub({ servers, searchDomains: [] });
  expect(stub('127.0.0.53')).toBe(true);
  expect(stub('127.0.0.53', '192.0.2.1')).toBe(false);
  expect(stub('127.0.0.1')).toBe(false);
  expect(stub()).toBe(false);
});

test('elsewhere: links of systeminformation with the addresses of node:os', () => {
  const info = { address: '10.0.0.9', netmask: '255.0.0.0', family: 'IPv4', internal: false } as const;
  const values = toPortableNetwork({
    nodeInterfaces: { en0: [{ ...info, mac: 'aa:bb:cc:dd:ee:ff', cidr: '10.0.0.9/8' }] },
    links: [
      {
        iface: 'en0',
        default: true,
        mac: 'AA:BB:CC:DD:EE:FF',
        internal: false,
        virtual: false,
        operstate: 'up',
        type: 'wired',
        mtu: 1500,
      },
    ],
    gateway: '10.0.0.1',
    servers: ['10.0.0.2', '[2001:db8::53]:5353', 'fe80::1%en0'],
  });
  expect(values).toEqual({
    primaryAddress: '10.0.0.9',
    interfaces: [
      {
        name: 'en0',
        mac: 'aa:bb:cc:dd:ee:ff',
        type: 'ethernet',
        state: 'up',
        mtu: 1500,
        addresses: [{ address: '10.0.0.9', prefixLength: 8, family: 'ipv4', scope: 'global' }],
      },
    ],
    defaultGateways: [{ address: '10.0.0.1', interface: 'en0', family: 'ipv4', metric: null }],
    dnsServers: ['10.0.0.2', '2001:db8::53', 'fe80::1'],
    searchDomains: null,
  });
});
