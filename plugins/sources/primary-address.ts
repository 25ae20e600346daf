/**
 * primary-address: the one address that stands for a host.
 */
import type { Family, InterfaceAddress } from './ip-address.ts';

type Addressed = { name: string; addresses: InterfaceAddress[] };
type Route = { interface: string | null; family: Family };

/**
 * The first global address of the interface that the best default route goes through; where no such
 * route leads to one, the first global address at all, IPv4 before IPv6.
 *
 * @param routes the preferred first
 */
export function primaryAddress(interfaces: readonly Addressed[], routes: readonly Route[]): string | null {
  for (const route of routes) {
    const found = interfaces
      .find(({ name }) => name === route.interface)
      ?.addresses.find(({ family, scope }) => family === route.family && scope === 'global');
    if (found) return found.address;
  }
  const reachable = interfaces
    .flatMap(({ addresses }) => addresses)
    .filter(({ scope }) => scope === 'global');
  return (reachable.find(({ family }) => family === 'ipv4') ?? reachable[0])?.address ?? null;
}
