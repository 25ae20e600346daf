/**
 * socket-table: reads /proc/net/tcp, tcp6, udp and udp6, of which only sockets that wait for others matter.
 */
import { ipv4FromHex, ipv6FromHex } from './ip-address.ts';

export type Protocol = 'tcp' | 'udp';

export type WaitingSocket = {
  protocol: Protocol;
  address: string;
  port: number;
  uid: number;
  /** Number by which a process's file descriptor names it; 0 when it has none. */
  inode: number;
};

/** States as include/net/tcp_states.h has them: LISTEN, and CLOSE, which for UDP is a socket without a peer. */
const waitingStates: Record<Protocol, string> = { tcp: '0A', udp: '07' };

const row =
  /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) \S+ \S+ \S+ +(\d{1,10}) +\d+ (\d{1,15}) /gm;

/** Those that wait for others, in the table's order. */
export function parseSocketTable(
  table: string,
  protocol: Protocol,
  endianness: 'BE' | 'LE',
): WaitingSocket[] {
  const found: WaitingSocket[] = [];
  for (const [, address = '', port = '', state, uid, inode] of table.matchAll(row)) {
    if (state !== waitingStates[protocol]) continue;
    const known = address.length === 8 ? ipv4FromHex(address, endianness) : ipv6Of(address, endianness);
    if (known === null) continue;
    found.push({
      protocol,
      address: known,
      port: Number.parseInt(port, 16),
      uid: Number(uid),
      inode: Number(inode),
    });
  }
  return found;
}

/**
 * Whether more of a TCP table is worth reading: the kernel lists all that listen before the first that is connected, and of
 * those a busy host has a hundred thousand.
 */
export function hasOnlyListening(table: string): boolean {
  for (const [, , , state] of table.matchAll(row)) if (state !== waitingStates.tcp) return false;
  return true;
}

/** Four numbers in network order, each printed in the machine's. */
function ipv6Of(hex: string, endianness: 'BE' | 'LE'): string | null {
  if (endianness === 'BE') return ipv6FromHex(hex);
  const words = hex.match(/.{8}/g) ?? [];
  return ipv6FromHex(words.map((word) => (word.match(/../g) ?? []).reverse().join('')).join(''));
}
