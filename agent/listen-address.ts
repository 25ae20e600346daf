/** listen-address: where a server of the agent listens, as people write it (`127.0.0.1:9115`, `[::1]:9115`). */
import { isIPv4, isIPv6 } from 'node:net';

export type ListenAddress = { host: string; port: number };

/** Null for what is no address with a port. Names are none: what one means may change, and with it who can look in. */
export function parseListenAddress(text: string): ListenAddress | null {
  const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? (v4 === 'localhost' ? '127.0.0.1' : v4);
  const port = Number(digits);
  if (host === undefined || port > 65_535) return null;
  return (v6 === undefined ? isIPv4(host) : isIPv6(host)) ? { host, port } : null;
}
