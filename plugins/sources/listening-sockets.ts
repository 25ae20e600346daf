/**
 * listening-sockets: gathers the sockets that wait for others, and who has them.
 *
 * Who has them is asked again only when other sockets are there than the last time.
 */
import type { CollectContext } from '../plugin.ts';
import { type LinuxFiles, linuxFiles } from './linux-files.ts';
import { nodeOs } from './node-os.ts';
import { once } from './once.ts';
import { type Account, parsePasswd } from './passwd.ts';
import { findHolders, type Holders } from './socket-holders.ts';
import { hasOnlyListening, type Protocol, parseSocketTable, type WaitingSocket } from './socket-table.ts';

const tables: readonly [path: string, protocol: Protocol][] = [
  ['/proc/net/tcp', 'tcp'],
  ['/proc/net/tcp6', 'tcp'],
  ['/proc/net/udp', 'udp'],
  ['/proc/net/udp6', 'udp'],
];

/** Null where the kernel tells of no sockets at all. */
export async function collectListening({ root, signal, cache }: CollectContext) {
  const files = linuxFiles(root, signal);
  const [node, range, passwd, ...read] = await Promise.all([
    nodeOs(root),
    files.read('/proc/sys/net/ipv4/ip_local_port_range'),
    files.read('/etc/passwd'),
    ...tables.map(([path, protocol]) => readTable(files, path, protocol)),
  ]);
  if (read.every((table) => table === null)) return null;
  const sockets = read.flatMap((table, at) =>
    parseSocketTable(table ?? '', tables[at]?.[1] ?? 'tcp', node.endianness()),
  );
  const inodes = new Set(sockets.map(({ inode }) => inode).filter((inode) => inode > 0));
  const key = [...inodes].sort((a, b) => a - b).join();
  const holders = await once(cache, 'holders', () => findHolders(root, inodes, signal), key);
  return { sockets: toListening(sockets, holders, parsePasswd(passwd ?? ''), parsePortRange(range)) };
}

function readTable(files: LinuxFiles, path: string, protocol: Protocol): Promise<string | null> {
  return protocol === 'tcp' ? files.readWhile(path, hasOnlyListening) : files.read(path);
}

type PortRange = readonly [first: number, last: number];

/** The kernel's own, where it does not tell. */
const usualPortRange: PortRange = [32_768, 60_999];

/** Ports that the kernel gives to whoever asks for none in particular: `32768	60999`. */
export function parsePortRange(range: string | null): PortRange {
  const [, first, last] = /^(\d{1,5})\s+(\d{1,5})$/.exec(range ?? '') ?? [];
  return first && last ? [Number(first), Number(last)] : usualPortRange;
}

/**
 * Shapes them into facts; pure. Several sockets on one port, as those of worker processes, are one.
 *
 * A UDP port out of the kernel's own range is most often that of a client that waits for an answer, and gone in a second: it
 * counts only where the kernel itself has it, as WireGuard's.
 */
export function toListening(
  sockets: readonly WaitingSocket[],
  { byInode, isWhole }: Holders,
  accounts: readonly Account[],
  [first, last]: PortRange,
) {
  const names = new Map(accounts.toReversed().map(({ uid, name }) => [uid, name]));
  const found = new Map<string, ReturnType<typeof describe>>();
  for (const socket of sockets) {
    const { protocol, port, address, inode } = socket;
    const isPassing = protocol === 'udp' && port >= first && port <= last;
    if (isPassing && !(isWhole && !byInode.has(inode))) continue;
    const key = `${protocol} ${address} ${port}`;
    const known = found.get(key);
    if (!known || known.process === null) found.set(key, describe(socket));
  }
  return [...found.values()].sort(
    (a, b) => compare(a.protocol, b.protocol) || a.port - b.port || compare(a.address, b.address),
  );

  function describe({ protocol, address, port, uid, inode }: WaitingSocket) {
    const holder = byInode.get(inode);
    return {
      protocol,
      address,
      port,
      process: holder?.process ?? null,
      executable: holder?.executable ?? null,
      user: names.get(uid) ?? null,
      uid,
    };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
