/**
 * ip-address: what the network plugin needs to know of addresses as text.
 */

import { isIP, SocketAddress } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

export type Family = 'ipv4' | 'ipv6';

export type InterfaceAddress = {
  address: string;
  prefixLength: number | null;
  family: Family;
  scope: 'host' | 'link' | 'global';
};

/** Shapes what `os.networkInterfaces()` says of one address; null for what is none. */
export function toInterfaceAddress({ address, cidr }: NetworkInterfaceInfo): InterfaceAddress | null {
  const plain = withoutZone(address);
  if (plain === null) return null;
  const length = /\/(\d{1,3})$/.exec(cidr ?? '')?.[1];
  return {
    address: plain,
    prefixLength: length === undefined ? null : Number(length),
    family: isIP(plain) === 4 ? 'ipv4' : 'ipv6',
    scope: scopeOf(plain),
  };
}

/** The address without the `%eth0` that names a link; null for what is no address. */
export function withoutZone(address: string): string | null {
  const plain = address.replace(/%.*$/, '');
  return isIP(plain) > 0 ? plain : null;
}

/** IPv6 from 32 hexadecimal digits, in the short form; null for anything else. */
export function ipv6FromHex(hex: string): string | null {
  if (!/^[0-9a-f]{32}$/i.test(hex)) return null;
  const groups = hex.match(/.{4}/g) ?? [];
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/** IPv4 from the number the kernel holds in network order and prints in the machine's; null for anything else. */
export function ipv4FromHex(hex: string, endianness: 'BE' | 'LE'): string | null {
  if (!/^[0-9a-f]{8}$/i.test(hex)) return null;
  const octets = (hex.match(/../g) ?? []).map((octet) => Number.parseInt(octet, 16));
  return (endianness === 'LE' ? octets.reverse() : octets).join('.');
}

function scopeOf(address: string): InterfaceAddress['scope'] {
  if (address.startsWith('127.') || address === '::1') return 'host';
  if (address.startsWith('169.254.') || /^fe[89ab]/i.test(address)) return 'link';
  return 'global';
}
