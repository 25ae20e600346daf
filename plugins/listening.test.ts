import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { collectChecked, collectContext, collectIfAny } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import listening from './listening.ts';
import { parsePortRange, toListening } from './sources/listening-sockets.ts';
import { findHolders } from './sources/socket-holders.ts';
import { hasOnlyListening, parseSocketTable } from './sources/socket-table.ts';

type Listening = { protocol: string; address: string; port: number; process: string; executable: string };

const onLinux = test.runIf(process.platform === 'linux');
const heading =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 100 0 0 10 0\n`;

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

onLinux('this host: a port is there with its process while somebody listens on it', async () => {
  const context = collectContext('/');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const find = async () =>
    ((await collectChecked(listening, context)).sockets as Listening[]).find(
      (socket) => socket.port === port,
    );
  expect(await find()).toMatchObject({
    ...{ protocol: 'tcp', address: '127.0.0.1', uid: process.geteuid?.() },
    process: readFileSync('/proc/self/comm', 'utf8').trim(),
    executable: realpathSync(process.execPath),
  });
  server.close();
  await once(server, 'close');
  expect(await find()).toBeUndefined();
});

onLinux('this host: UDP that waits for anyone counts, that of a client does not', async () => {
  const [first] = parsePortRange(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim());
  // Any port below the kernel's own range: some may be in use.
  let server: Socket | null = null;
  for (let port = first - 1; server === null && port > 1024; port--)
    server = await bound(port).catch(() => null);
  const [client, connected] = [await bound(0), await bound(0)];
  connected.connect(9, '127.0.0.1');
  await once(connected, 'connect');
  const values = await collectChecked(listening, collectContext('/'));
  const ports = (values.sockets as Listening[]).flatMap(({ protocol, port }) =>
    protocol === 'udp' ? port : [],
  );
  expect(ports).toContain(server?.address().port);
  for (const socket of [client, connected]) expect(ports).not.toContain(socket.address().port);
  for (const socket of [server, client, connected]) socket?.close();
});

test('where the kernel tells of no sockets there is nothing to report', async () => {
  expect(await collectIfAny(listening, collectContext(await temporaryFolder()))).toBeNull();
});

test('addresses are as the machine prints them', () => {
  const ipv6 = `B80D0120000000000000000001000000:0050`;
  expect(parseSocketTable(heading + row(ipv6, '0A', 5), 'tcp', 'LE')).toEqual([
    { protocol: 'tcp', address: '2001:db8::1', port: 80, uid: 1000, inode: 5 },
  ]);
  const bigEndian = `20010DB8000000000000000000000001:0050`;
  expect(parseSocketTable(heading + row(bigEndian, '0A', 5), 'tcp', 'BE')[0]?.address).toBe('2001:db8::1');
  expect(parseSocketTable(heading + row('0100007F:0016', '0A', 5), 'tcp', 'LE')[0]?.address).toBe(
    '127.0.0.1',
  );
});

test('only sockets that wait for others count, each by its protocol', () => {
  const table =
    heading + row('00000000:0016', '0A', 1) + row('00000000:0017', '01', 2) + row('00000000:0018', '07', 3);
  expect(parseSocketTable(table, 'tcp', 'LE').map(({ port }) => port)).toEqual([22]);
  expect(parseSocketTable(table, 'udp', 'LE').map(({ port }) => port)).toEqual([24]);
  expect(parseSocketTable('nothing of the kind\n', 'udp', 'LE')).toEqual([]);
});

test('a table is read no further than the first connection', () => {
  expect(hasOnlyListening(heading + row('00000000:0016', '0A', 1))).toBe(true);
  expect(hasOnlyListening(row('00000000:0016', '0A', 1) + row('00000000:0016', '01', 2))).toBe(false);
});

test('a UDP port of the kernel’s own range counts only where the kernel has it for certain', () => {
  const socket = { protocol: 'udp' as const, address: '0.0.0.0', port: 51_820, uid: 0, inode: 7 };
  const holder = { process: 'dig', executable: null };
  const told = (byInode: Map<number, typeof holder>, isWhole: boolean) =>
    toListening([socket], { byInode, isWhole }, [], [32_768, 60_999]).length;
  expect(told(new Map(), true)).toBe(1);
  expect(told(new Map(), false)).toBe(0);
  expect(told(new Map([[7, holder]]), true)).toBe(0);
});

test('workers that share a port are one socket, with the first process that is known', () => {
  const socket = { protocol: 'tcp' as const, address: '::', port: 443, uid: 33 };
  const byInode = new Map([[2, { process: 'nginx', executable: '/usr/sbin/nginx' }]]);
  const sockets = [1, 2, 3].map((inode) => ({ ...socket, inode }));
  expect(toListening(sockets, { byInode, isWhole: true }, [], [1, 2])).toEqual([
    { ...socket, process: 'nginx', executable: '/usr/sbin/nginx', user: null },
  ]);
});

test('a range that is none is the usual one', () => {
  expect(parsePortRange('1024\t65000')).toEqual([1024, 65_000]);
  expect(parsePortRange('many')).toEqual([32_768, 60_999]);
});

test('processes are looked at until every socket is found', async () => {
  const root = await temporaryFolder({ 'proc/7/comm': 'seven\n', 'proc/self/comm': 'x', 'proc/9/fd/0': '' });
  const { signal } = new AbortController();
  expect(await findHolders(root, new Set([1]), signal)).toEqual({ byInode: new Map(), isWhole: true });
});
