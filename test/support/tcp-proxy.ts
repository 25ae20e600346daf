/** tcp-proxy: a network between a client and a server that can be cut, or swallow what is sent. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { whenFileIsDone } from './cleanup.ts';

export type TcpProxy = {
  /** The same URL, through here. */
  url: string;
  /** Ends all connections, and those that are made from now on at once. */
  cut(): void;
  /** Neither ends the connections that there are, nor lets anything through them; new ones work. */
  swallow(): void;
  /** Lets new connections through. */
  mend(): void;
};

/** @param url with the port of a server on loopback */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  whenFileIsDone(() => {
    destroyAll();
    server.close();
  });
  return {
    url: through.href,
    cut() {
      isCut = true;
      destroyAll();
    },
    swallow() {
      for (const socket of sockets) socket.unpipe().resume();
    },
    mend() {
      isCut = false;
    },
  };
}
