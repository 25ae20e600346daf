/**
 * network.linux: interfaces from /sys/class/net and node:os, routes from /proc/net, resolv.conf.
 */
import type { NetworkInterfaceInfo } from 'node:os';
import type { CollectContext } from '../plugin.ts';
import {
  type DefaultRoute,
  parseIpv4DefaultRoutes,
  parseIpv6DefaultRoutes,
  sortRoutes,
} from './default-routes.ts';
import { type InterfaceAddress, toInterfaceAddress } from './ip-address.ts';
import { linuxFiles } from './linux-files.ts';
import { gatherLinks, linkType, type RawLink } from './linux-interfaces.ts';
import { macOrNull } from './mac-address.ts';
import { nodeOs } from './node-os.ts';
import { primaryAddress } from './primary-address.ts';
import { isStub, parseResolvConf } from './resolv-conf.ts';

export type RawNetwork = {
  links: RawLink[] | null;
  /** As `os.networkInterfaces()` has them, which leaves out interfaces that are down. */
  nodeInterfaces: NodeJS.Dict<NetworkInterfaceInfo[]>;
  endianness: 'BE' | 'LE';
  route: string | null;
  ipv6Route: string | null;
  resolvConf: string | null;
  /** What systemd-resolved got from the network, behind its stub. */
  resolvedConf: string | null;
};

export async function collectNetworkOnLinux(context: CollectContext) {
  return toNetwork(await gatherNetwork(context));
}

async function gatherNetwork({ root, signal }: CollectContext): Promise<RawNetwork> {
  const files = linuxFiles(root, signal);
  const [node, links, route, ipv6Route, resolvConf, resolvedConf] = await Promise.all([
    nodeOs(root),
    gatherLinks(files),
    files.read('/proc/net/route'),
    files.read('/proc/net/ipv6_route'),
    files.read('/etc/resolv.conf'),
    files.read('/run/systemd/resolve/resolv.conf'),
  ]);
  return {
    links,
    nodeInterfaces: node.networkInterfaces(),
    endianness: node.endianness(),
    route,
    ipv6Route,
    resolvConf,
    resolvedConf,
  };
}

/** Shapes raw texts into facts; pure. */
export function toNetwork(raw: RawNetwork) {
  const addressed = addressesByName(raw.nodeInterfaces);
  const links = new Map(raw.links?.map((link) => [link.name, link]));
  const names = [...new Set([...links.keys(), ...addressed.keys()])].sort();
  const interfaces = names.map((name) => toInterface(name, links.get(name), addressed.get(name)));
  const routes = sortRoutes([
    ...parseIpv4DefaultRoutes(raw.route, raw.endianness),
    ...parseIpv6DefaultRoutes(raw.ipv6Route),
  ]);
  const devices = (raw.links ?? []).filter(({ entries }) => entries.includes('device'));
  const resolver = toResolver(raw);
  return {
    primaryAddress: primaryAddress(
      interfaces,
      routes,
      devices.map(({ name }) => name),
    ),
    interfaces: names.length > 0 || raw.links ? interfaces : null,
    defaultGateways: raw.route === null && raw.ipv6Route === null ? null : routes.flatMap(toGateway),
    dnsServers: resolver?.servers ?? null,
    searchDomains: resolver?.searchDomains ?? null,
  };
}

type Addressed = { mac: string | null; addresses: InterfaceAddress[] };

/** An address may carry a label, `eth0:1`, which stands for its interface. */
function addressesByName(nodeInterfaces: RawNetwork['nodeInterfaces']): Map<string, Addressed> {
  const byName = new Map<string, Addressed>();
  for (const [label, infos = []] of Object.entries(nodeInterfaces)) {
    const name = label.split(':')[0] || label;
    const known = byName.get(name);
    const addresses = infos.map(toInterfaceAddress).filter((address) => address !== null);
    byName.set(name, {
      mac: known?.mac ?? macOrNull(infos[0]?.mac),
      addresses: [...(known?.addresses ?? []), ...addresses].sort(byFamily),
    });
  }
  return byName;
}

function toInterface(name: string, link: RawLink | undefined, addressed: Addressed | undefined) {
  return {
    name,
    mac: macOrNull(link?.mac) ?? addressed?.mac ?? null,
    type: link ? linkType(link) : null,
    state: link?.operstate || null,
    mtu: /^\d{1,10}$/.test(link?.mtu ?? '') ? Number(link?.mtu) : null,
    addresses: addressed?.addresses ?? [],
  };
}

/** Within a family the kernel's order stays: the first one is what it sends from. */
function byFamily(a: InterfaceAddress, b: InterfaceAddress): number {
  return a.family === b.family ? 0 : a.family === 'ipv4' ? -1 : 1;
}

function toGateway({ gateway, interface: name, family, metric }: DefaultRoute) {
  return gateway ? [{ address: gateway, interface: name, family, metric }] : [];
}

function toResolver({ resolvConf, resolvedConf }: RawNetwork) {
  const resolver = resolvConf === null ? null : parseResolvConf(resolvConf);
  const behind = resolvedConf === null ? null : parseResolvConf(resolvedConf);
  return behind && behind.servers.length > 0 && (resolver === null || isStub(resolver)) ? behind : resolver;
}
