/**
 * network: interfaces, addresses, default routes and name servers.
 *
 * Source: /sys/class/net, /proc/net, resolv.conf and node:os on Linux; node:os, node:dns and
 * systeminformation elsewhere. Needs no privileges; starts no process on Linux; asks no name server.
 */

import { count, definePlugin, ip, list, mac, text } from './plugin.ts';
import { collectNetworkOnLinux } from './sources/network.linux.ts';
import { collectNetworkElsewhere } from './sources/network.portable.ts';

export default definePlugin({
  name: 'network',
  version: 1,
  description: 'Interfaces, addresses, default routes and name servers',
  facts: {
    primaryAddress: ip(
      'Address of the interface with the best default route, IPv4 first; without such a route, of the first interface by name that has a device behind it; null if there is none',
    ),
    interfaces: list(
      'Network interfaces by name',
      {
        name: text('Name of the interface', { nullable: false }),
        mac: mac('Hardware address; null when it has none'),
        type: text('ethernet, wireless, loopback, virtual, or what the kernel calls it: bridge, bond, vlan'),
        state: text('Whether it can carry traffic: up, down, unknown, or as the kernel tells'),
        mtu: count('Largest packet it sends, in bytes'),
        addresses: list(
          'Addresses it has, IPv4 first; those of an interface that is down are not told',
          {
            address: ip('Address without prefix and zone', { nullable: false }),
            prefixLength: count('Leading bits that name its network'),
            family: text('ipv4 or ipv6', { nullable: false }),
            scope: text('How far it is valid, by its range: host, link or global', { nullable: false }),
          },
          { key: 'address' },
        ),
      },
      { key: 'name' },
    ),
    defaultGateways: list(
      'Next hops of the default routes, the preferred first, IPv4 before IPv6',
      {
        address: ip('Address of the gateway', { nullable: false }),
        interface: text('Interface it is reached through'),
        family: text('ipv4 or ipv6', { nullable: false }),
        metric: count('Cost of the route, lower is preferred'),
      },
      { key: ['address', 'interface'] },
    ),
    dnsServers: list('Name servers in the order they are asked', ip('Address without zone')),
    searchDomains: list('Domains tried for short names, in order', text('Domain without the dot at its end')),
  },
  source: '/sys/class/net, /proc/net, /etc/resolv.conf, node:os; systeminformation and node:dns elsewhere',
  async collect(context) {
    return process.platform === 'linux' ? collectNetworkOnLinux(context) : collectNetworkElsewhere(context);
  },
});
