/** metrics-server: answers `GET /metrics` of the daemon, and nothing else. */
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nodeHttp } from '../../plugins/node-http.ts';
import { errorText, OperatorError } from '../error-text.ts';
import type { ListenAddress } from '../listen-address.ts';

export type MetricsServer = {
  /** With the port that the system gave for port 0. */
  url: string;
  close(): Promise<void>;
};

/** A scrape is one short request. */
const requestTimeoutMs = 10_000;

/** @throws OperatorError when it cannot listen */
export async function serveMetrics(
  { host, port }: ListenAddress,
  text: () => Promise<string>,
): Promise<MetricsServer> {
  const answer: RequestListener = async (request, response) => {
    const path = request.url?.split('?')[0];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path !== '/metrics' || !isRead) {
      response
        .writeHead(isRead ? 404 : 405, { 'content-type': 'text/plain' })
        .end('metrics are at /metrics\n');
      return;
    }
    try {
      const body = await text();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`${errorText(error)}\n`);
    }
  };
  const server = nodeHttp().createServer({ requestTimeout: requestTimeoutMs }, answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const why = `cannot listen at metrics.listen, ${host}:${port}: ${errorText(error)}; choose another port`;
      reject(new OperatorError(why, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${shown}:${bound.port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
