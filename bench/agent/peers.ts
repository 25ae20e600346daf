/** peers: other programs that tell of a host, where they are installed. */
import { accessSync, constants } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import { type Running, start } from '../../test/support/process.ts';

export type Peer = { name: string; command: string; args: string[] };

/** Each collects an inventory once and prints it. */
export const inventories: readonly Peer[] = [
  {
    name: 'facter os processors networking',
    command: 'facter',
    args: ['--json', 'os', 'processors', 'networking'],
  },
  { name: 'facter, all', command: 'facter', args: ['--json'] },
  { name: 'ohai', command: 'ohai', args: [] },
  { name: 'fusioninventory-inventory', command: 'fusioninventory-inventory', args: [] },
];

export function isInstalled(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts node_exporter on loopback. */
export async function startPeer(): Promise<{ url: string; child: Running['child'] }> {
  const port = await freePort();
  const { child } = start('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${port}`]);
  const url = `http://127.0.0.1:${port}/metrics`;
  await eventually('node_exporter answers', async () => (await fetch(url)).ok);
  return { url, child };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
