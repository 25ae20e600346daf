/**
 * primary-address: the one address that stands for a host.
 */
import type { Family, InterfaceAddress } from './ip-address.ts';

type Addressed = { name: string; addresses: readonly InterfaceAddress[] };
type Route = { interface: string | null; family: Family };

/**
 * The first global address of the interface that the best default route goes through. Where no such
 * route leads to one, the first global address of an interface with a device behind it, IPv4 before
 * IPv6: bridges and tunnels have addresses that no one reaches this host by, docker0 the same everywhere.
 *
 * @param routes the preferred first
 * @param devices names of the interfaces that have a device behind them
 */
export function primaryAddress(
  interfaces: readonly Addressed[],
  routes: readonly Route[],
  devices: readonly string[],
): string | null {
  for (const route of routes) {
    const found = interfaces
      .find(({ name }) => name === route.interface)
      ?.addresses.find(({ family, scope }) => family === route.family && scope === 'global');
    if (found) return found.address;
  }
  const reachable = interfaces
    .filter(({ name }) => devices.includes(name))
    .flatMap(({ addresses }) => addresses)
    .filter(({ scope }) => scope === 'global');
  return (reachable.find(({ family }) => family === 'ipv4') ?? reachable[0])?.address ?? null;
}
