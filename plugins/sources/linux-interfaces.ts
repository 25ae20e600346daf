/**
 * linux-interfaces: what /sys/class/net tells about links.
 */
import type { LinuxFiles } from './linux-files.ts';

/** Texts of one interface's files, null for those that are not there. */
export type RawLink = {
  name: string;
  mac: string | null;
  mtu: string | null;
  operstate: string | null;
  /** ARPHRD_ number of the link layer. */
  arpType: string | null;
  uevent: string | null;
  /** Names in the interface's folder. */
  entries: string[];
};

const folder = '/sys/class/net';

/** Null when the system keeps no such folder, as in sandboxes. */
export async function gatherLinks(files: LinuxFiles): Promise<RawLink[] | null> {
  const names = await files.list(folder);
  if (names === null) return null;
  const links = await Promise.all(names.map((name) => gatherLink(files, name)));
  return links.filter((link) => link !== null);
}

/** Null for what is no interface: `bonding_masters` is a file in the same folder. */
async function gatherLink(files: LinuxFiles, name: string): Promise<RawLink | null> {
  const read = (file: string) => files.read(`${folder}/${name}/${file}`);
  const [entries, mac, mtu, operstate, arpType, uevent] = await Promise.all([
    files.list(`${folder}/${name}`),
    read('address'),
    read('mtu'),
    read('operstate'),
    read('type'),
    read('uevent'),
  ]);
  return entries && { name, mac, mtu, operstate, arpType, uevent, entries };
}

/** Link layers that have a name of their own, include/uapi/linux/if_arp.h. */
const arpTypes: Readonly<Record<string, string>> = {
  24: 'firewire',
  32: 'infiniband',
  280: 'can',
  512: 'ppp',
  768: 'tunnel',
  769: 'tunnel',
  772: 'loopback',
  776: 'tunnel',
  778: 'tunnel',
  823: 'tunnel',
};

/** Files that tell what drives an interface, where the kernel sets no DEVTYPE. */
const entryTypes: readonly (readonly [entry: string, type: string])[] = [
  ['wireless', 'wireless'],
  ['phy80211', 'wireless'],
  ['bridge', 'bridge'],
  ['bonding', 'bond'],
  ['tun_flags', 'tunnel'],
];

/**
 * The kernel's own word (DEVTYPE) where it has one. Otherwise ethernet for a link with a device behind
 * it, and virtual for one without.
 */
export function linkType({ arpType, uevent, entries }: RawLink): string | null {
  const word = /^DEVTYPE=(.+)$/m.exec(uevent ?? '')?.[1];
  if (word) return word === 'wlan' ? 'wireless' : word;
  const layer = arpTypes[arpType ?? ''];
  if (layer) return layer;
  const driven = entryTypes.find(([entry]) => entries.includes(entry))?.[1];
  if (driven) return driven;
  if (arpType === null) return null;
  return arpType === '1' && entries.includes('device') ? 'ethernet' : 'virtual';
}
