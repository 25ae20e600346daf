/**
 * default-routes: finds the default routes in the kernel's tables, /proc/net/route and /proc/net/ipv6_route.
 */
import { type Family, ipv4FromHex, ipv6FromHex } from './ip-address.ts';

/** `gateway` is null on a link that has but one other end. */
export type DefaultRoute = { gateway: string | null; interface: string; family: Family; metric: number };

/** Flags of a route, include/uapi/linux/route.h. */
const up = 0x1;
const reject = 0x200;

/** Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …; the metric alone is decimal. */
export function parseIpv4DefaultRoutes(table: string | null, endianness: 'BE' | 'LE'): DefaultRoute[] {
  return rows(table).flatMap(([name, destination, gateway = '', flags, , , metric, mask]) => {
    if (!name || !isZero(destination, 8) || !isZero(mask, 8) || !isUsable(flags)) return [];
    return {
      gateway: isZero(gateway, 8) ? null : ipv4FromHex(gateway, endianness),
      interface: name,
      family: 'ipv4' as const,
      metric: metric && /^\d{1,10}$/.test(metric) ? Number(metric) : 0,
    };
  });
}

/** Columns: destination, its prefix, source, its prefix, next hop, metric, references, use, flags, interface. */
export function parseIpv6DefaultRoutes(table: string | null): DefaultRoute[] {
  return rows(table).flatMap(([destination, prefix, , , gateway = '', metric, , , flags, name]) => {
    if (!name || !isZero(destination, 32) || prefix !== '00' || !isUsable(flags)) return [];
    return {
      gateway: isZero(gateway, 32) ? null : ipv6FromHex(gateway),
      interface: name,
      family: 'ipv6' as const,
      metric: metric && /^[0-9a-f]{8}$/i.test(metric) ? Number.parseInt(metric, 16) : 0,
    };
  });
}

/** The preferred first: IPv4 before IPv6, then by metric; the table's order decides between equals. */
export function sortRoutes(routes: DefaultRoute[]): DefaultRoute[] {
  return routes.sort((a, b) => (a.family === b.family ? a.metric - b.metric : a.family === 'ipv4' ? -1 : 1));
}

function rows(table: string | null): string[][] {
  return (table ?? '').split('\n').map((line) => line.trim().split(/\s+/));
}

function isZero(hex: string | undefined, digits: number): boolean {
  return hex === '0'.repeat(digits);
}

/** Every IPv6 table has a default route of last resort that refuses. */
function isUsable(flags: string | undefined): boolean {
  if (!flags || !/^[0-9a-f]{1,8}$/i.test(flags)) return false;
  const bits = Number.parseInt(flags, 16);
  return (bits & up) !== 0 && (bits & reject) === 0;
}
