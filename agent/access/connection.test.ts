import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { pem } from '../../test/support/authority.ts';
import { connect } from '../submit.ts';
import { connectionFor, proxyFor } from './connection.ts';
import { fixedToken } from './credentials.ts';

const stop = new AbortController().signal;
const noTls = { ca: null, cert: null, key: null };
const client = { ca: pem.ca, cert: pem.clientCert, key: pem.clientKey };

async function listen(server: Server & { closeAllConnections(): void }): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const answer = (request: IncomingMessage) => {
  request.resume();
  return JSON.stringify({ data: { __typename: 'Query' } });
};

async function tlsApi(options: ServerOptions = {}) {
  const subjects: (string | undefined)[] = [];
  const own = { cert: pem.serverCert, key: pem.serverKey, ...options };
  const server = createServer(own, (request, response) => {
    subjects.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string | undefined);
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer(request));
  });
  return { port: await listen(server), subjects };
}

const to = (url: string, tls = noTls as Parameters<typeof connectionFor>[0]['tls'], env = {}) =>
  connect({ url, agent: connectionFor({ url, tls, env }), credentials: fixedToken('t0ken') });

test('an authority of the config is trusted, and without it the message names the setting', async () => {
  const { port } = await tlsApi();
  const url = `https://localhost:${port}/graphql`;
  await to(url, { ...noTls, ca: pem.ca }).ping(stop);
  await expect(to(url).ping(stop)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/its authority trusted \(api\.ca\)\?$/),
  });
});

test('the certificate of the config is shown to an API that wants one', async () => {
  const { port, subjects } = await tlsApi({ ca: pem.ca, requestCert: true, rejectUnauthorized: true });
  const url = `https://localhost:${port}/graphql`;
  await to(url, client).ping(stop);
  expect(subjects).toEqual(['f4271aa0-4483-41f3-a0ac-28d3745f6527']);
  await expect(to(url, { ...noTls, ca: pem.ca }).ping(stop)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('api.clientCert'),
  });
});

/** Passes connections and requests on to one port of loopback, whatever name they are for. */
async function proxyTo(port: number) {
  const asked: string[] = [];
  const proxy = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer(request));
  });
  proxy.on('connect', (request, socket, head) => {
    asked.push(`CONNECT ${request.url}`);
    const onward = connectTcp(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on('error', () => {});
  });
  return { asked, url: `http://127.0.0.1:${await listen(proxy)}` };
}

test('HTTPS_PROXY is on the way to an API with TLS, end to end', async () => {
  const { port, subjects } = await tlsApi({ ca: pem.ca, requestCert: true, rejectUnauthorized: true });
  const proxy = await proxyTo(port);
  const url = 'https://api.example/graphql';
  await to(url, client, { HTTPS_PROXY: proxy.url }).ping(stop);
  expect(proxy.asked).toEqual(['CONNECT api.example:443']);
  expect(subjects).toHaveLength(1);
});

test('HTTP_PROXY is for http, NO_PROXY goes past it, and so does loopback', async () => {
  const { port } = await tlsApi();
  const proxy = await proxyTo(port);
  const env = { http_proxy: proxy.url };
  await to('http://api.example/graphql', noTls, env).ping(stop);
  expect(proxy.asked).toEqual(['POST http://api.example/graphql']);
  await to(`https://127.0.0.1:${port}/graphql`, client, { HTTPS_PROXY: 'http://127.0.0.1:9' }).ping(stop);
  await expect(
    to('http://api.invalid/graphql', noTls, { ...env, NO_PROXY: 'api.invalid' }).ping(stop),
  ).rejects.toThrow('no such host name');
  expect(proxy.asked).toHaveLength(1);
  expect(proxyFor(new URL('http://api.example/'), env)).toBe(proxy.url);
  expect(proxyFor(new URL('https://api.example/'), env)).toBeNull();
  expect(proxyFor(new URL('http://localhost/'), env)).toBeNull();
});
