/**
 * network.portable: interfaces, gateway and name servers on macOS, Windows and the BSDs.
 *
 * systeminformation starts processes for what links are like and for the gateway; it is asked again
 * only when the addresses change, which node:os tells at no cost.
 */
import { getServers } from 'node:dns';
import { isIP } from 'node:net';
import type os from 'node:os';
import type { Systeminformation } from 'systeminformation';
import type { CollectContext } from '../plugin.ts';
import { toInterfaceAddress, withoutZone } from './ip-address.ts';
import { macOrNull } from './mac-address.ts';
import { liveNodeOs } from './node-os.ts';
import { once } from './once.ts';
import { primaryAddress } from './primary-address.ts';

type Link = Pick<
  Systeminformation.NetworkInterfacesData,
  'iface' | 'default' | 'mac' | 'internal' | 'virtual' | 'operstate' | 'type' | 'mtu'
>;

export type RawPortableNetwork = {
  nodeInterfaces: NodeJS.Dict<os.NetworkInterfaceInfo[]>;
  links: Link[];
  gateway: string;
  /** As `dns.getServers()` has them: with a zone, or with brackets and a port. */
  servers: string[];
};

export async function collectNetworkElsewhere({ cache, signal }: CollectContext) {
  signal.throwIfAborted();
  const nodeInterfaces = liveNodeOs.networkInterfaces();
  const { links, gateway } = await once(cache, 'systeminformation', askOnce, JSON.stringify(nodeInterfaces));
  return toPortableNetwork({ nodeInterfaces, links, gateway, servers: getServers() });
}

async function askOnce() {
  const { networkInterfaces, networkGatewayDefault } = await import('systeminformation');
  const links = await networkInterfaces(true);
  return { links: Array.isArray(links) ? links : [links], gateway: await networkGatewayDefault() };
}

/** Shapes raw answers into facts; pure. */
export function toPortableNetwork({ nodeInterfaces, links, gateway, servers }: RawPortableNetwork) {
  const byName = new Map(links.map((link) => [link.iface, link]));
  const names = [...new Set([...byName.keys(), ...Object.keys(nodeInterfaces)])].sort();
  const interfaces = names.map((name) => {
    const link = byName.get(name);
    const infos = nodeInterfaces[name] ?? [];
    return {
      name,
      mac: macOrNull(link?.mac) ?? macOrNull(infos[0]?.mac),
      type: link?.internal ? 'loopback' : link?.virtual ? 'virtual' : toType(link?.type),
      state: link?.operstate || null,
      mtu: link?.mtu || null,
      addresses: infos.map(toInterfaceAddress).filter((address) => address !== null),
    };
  });
  const family = isIP(gateway) === 6 ? ('ipv6' as const) : ('ipv4' as const);
  const devices = links.filter((link) => !link.virtual && !link.internal).map(({ iface }) => iface);
  const through = links.find((link) => link.default)?.iface ?? null;
  const address = withoutZone(gateway);
  return {
    primaryAddress: primaryAddress(interfaces, [{ interface: through, family }], devices),
    interfaces,
    defaultGateways: address ? [{ address, interface: through, family, metric: null }] : [],
    dnsServers: servers.map(withoutPort).filter((server) => server !== null),
    searchDomains: null,
  };
}

function toType(type: string | undefined): string | null {
  return type === 'wired' ? 'ethernet' : type || null;
}

function withoutPort(server: string): string | null {
  return withoutZone(/^\[(.*)\](?::\d+)?$/.exec(server)?.[1] ?? server);
}
