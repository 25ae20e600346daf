/**
 * address-slot: under which name an address is counted, of a fixed number of them.
 *
 * Whoever has one address of IPv6 has a network of 2⁶⁴ of them. To remember each address that ever asked would let a million of
 * them fill the memory, so they share slots, by a hash that nobody outside can compute.
 */
import { hash, randomBytes } from 'node:crypto';
import ipaddr from 'ipaddr.js';

/** Hexadecimal digits of the hash: 65,536 slots, of some 400 bytes each while they count. */
const digits = 4;
const secret = randomBytes(16).toString('hex');

/** Of addresses that asked lately: a hash takes longer than all else that counting does. */
const known = new Map<string, string>();
const mostKnown = 10_000;

export function slotOf(address: string): string {
  const found = known.get(address);
  if (found !== undefined) return found;
  const slot = hash('sha256', secret + networkOf(address)).slice(0, digits);
  if (known.size >= mostKnown) known.clear();
  known.set(address, slot);
  return slot;
}

/** An address of IPv4, or the first 64 bits of one of IPv6; what is no address stays as it is. */
export function networkOf(address: string): string {
  try {
    const parsed = ipaddr.parse(address);
    if (parsed.kind() === 'ipv4') return parsed.toString();
    const v6 = parsed as ipaddr.IPv6;
    if (v6.isIPv4MappedAddress()) return v6.toIPv4Address().toString();
    return `${v6.parts
      .slice(0, 4)
      .map((part) => part.toString(16))
      .join(':')}::/64`;
  } catch {
    return address;
  }
}
