/**
 * client-address: where a request comes from, and what its client called the API, also through proxies that are trusted.
 *
 * Only what a trusted proxy says counts, read from the right: what stands left of the first address that is not trusted
 * was written by whoever that is.
 */
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import type { Network } from '../settings/transport.ts';

export type Client = {
  /** Without a port; empty for a request that came by no socket. */
  address: string;
  /** As the client wrote it, where a trusted proxy says so; null where none does. */
  host: string | null;
};

/** What Yoga hands on of a request that came by a socket. */
type Carried = { req?: IncomingMessage };

const clients = new WeakMap<IncomingMessage, Client>();
/** By socket: a connection is asked on again and again, and comes from one place. */
const peers = new WeakMap<object, string>();

export function clientAddressOf(context: object): string {
  const { req } = context as Carried;
  return req ? (clients.get(req)?.address ?? peerOf(req.socket)) : '';
}

/** To be told before the request is handed on. */
export function noteClient(request: IncomingMessage, trusted: readonly Network[]): Client {
  const client = clientOf(request, trusted);
  clients.set(request, client);
  return client;
}

export function clientOf(
  { headers, socket }: Pick<IncomingMessage, 'headers'> & { socket: Peer },
  trusted: readonly Network[],
): Client {
  const peer = peerOf(socket);
  if (!isTrusted(peer, trusted)) return { address: peer, host: null };
  const { addresses, host } = headers.forwarded ? fromForwarded(headers.forwarded) : fromXForwarded(headers);
  let address = peer;
  for (const next of addresses.toReversed()) {
    // What is no address may be a name that a proxy keeps to itself: nothing beyond it is known.
    if (!ipaddr.isValid(next)) break;
    address = next;
    if (!isTrusted(next, trusted)) break;
  }
  return { address, host };
}

type Peer = { remoteAddress?: string | undefined };

function peerOf(socket: Peer): string {
  // Once it is closed it does not tell any more.
  const peer = peers.get(socket) ?? plain(socket.remoteAddress ?? '');
  peers.set(socket, peer);
  return peer;
}

function isTrusted(address: string, trusted: readonly Network[]): boolean {
  if (trusted.length === 0 || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return trusted.some(([network, bits]) => parsed.kind() === network.kind() && parsed.match(network, bits));
}

type Forwarded = { addresses: string[]; host: string | null };

function fromXForwarded(headers: IncomingMessage['headers']): Forwarded {
  const addresses = listOf(headers['x-forwarded-for']).map(plain);
  return { addresses, host: listOf(headers['x-forwarded-host']).at(-1) ?? null };
}

/** https://www.rfc-editor.org/rfc/rfc7239: `for="[2001:db8::1]:4711";host=example.org, for=10.0.0.1` */
function fromForwarded(header: string): Forwarded {
  const hops = header.split(',').map((hop) => {
    const pairs = hop.split(';').map((pair) => /^\s*([a-z]+)=(?:"([^"]*)"|([^"\s]*))\s*$/i.exec(pair));
    return new Map(
      pairs.flatMap((pair) => (pair ? [[pair[1]?.toLowerCase(), pair[2] ?? pair[3] ?? '']] : [])),
    );
  });
  return {
    addresses: hops.flatMap((hop) => (hop.has('for') ? [plain(hop.get('for') ?? '')] : [])),
    host: hops.at(-1)?.get('host') ?? null,
  };
}

function listOf(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Without port, brackets, zone, and the form that IPv4 has within IPv6. */
function plain(text: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? [];
  const [, withPort] = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text) ?? [];
  const address = bracketed ?? withPort ?? text;
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}
