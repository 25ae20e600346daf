import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pem as authority } from '../../test/support/authority.ts';
import { repository } from '../../test/support/process.ts';
import { closedUrl } from '../../test/support/stub-api.ts';
import { checkDns, checkTcp, checkTls } from './network-checks.ts';

const pem = (name: string) => readFileSync(join(repository, 'test/fixtures/tls', name));
const now = Date.UTC(2030, 0, 1);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const tlsServer = () => createHttpsServer({ key: pem('key.pem'), cert: pem('self-signed.pem') });

test('a name that is known, an address, and a name that is not', async () => {
  expect(await checkDns(new URL('http://localhost/'))).toMatchObject({ status: 'OK' });
  expect(await checkDns(new URL('http://[::1]:4000/'))).toMatchObject({
    status: 'OK',
    detail: '::1 is an address and needs no name server',
  });
  expect(await checkDns(new URL('http://no-such-host.invalid/'))).toMatchObject({ status: 'FAILED' });
});

test('a port that answers, and one that does not', async () => {
  const port = await listen(createServer());
  expect(await checkTcp(new URL(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 'OK' });
  expect(await checkTcp(new URL(await closedUrl()))).toMatchObject({
    status: 'FAILED',
    detail: expect.stringContaining('ECONNREFUSED'),
    todo: expect.stringContaining('start the API'),
  });
});

test('a certificate that nobody vouches for', async () => {
  const port = await listen(tlsServer());
  expect(await checkTls(new URL(`https://localhost:${port}/`), now)).toMatchObject({
    status: 'FAILED',
    detail: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT; issued by localhost'),
    todo: expect.stringContaining('api.ca'),
  });
});

test('a certificate before and after its time', async () => {
  const url = new URL(`https://localhost:${await listen(tlsServer())}/`);
  expect(await checkTls(url, Date.UTC(2200, 0, 1))).toMatchObject({
    status: 'FAILED',
    detail: expect.stringMatching(/^the certificate expired 2126-/),
  });
  expect(await checkTls(url, Date.UTC(2000, 0, 1))).toMatchObject({
    status: 'FAILED',
    todo: 'set the clock of this machine',
  });
});

test('a certificate that is good, and one that ends soon', async () => {
  const { ca, serverCert, serverKey } = authority;
  const port = await listen(createHttpsServer({ cert: serverCert, key: serverKey }));
  const url = new URL(`https://localhost:${port}/`);
  const end = new X509Certificate(serverCert).validToDate.getTime();
  const day = 86_400_000;
  expect(await checkTls(url, end - 15 * day, { ca })).toMatchObject({ status: 'OK', todo: null });
  expect(await checkTls(url, end - 13 * day, { ca })).toMatchObject({
    status: 'WARNING',
    detail: expect.stringContaining(`certificate valid until ${new Date(end).toISOString()} (13 d)`),
    todo: 'renew the certificate',
  });
});

test('a server that speaks no TLS, and an address without it', async () => {
  const port = await listen(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  expect(await checkTls(new URL(`https://127.0.0.1:${port}/`), now)).toMatchObject({
    status: 'FAILED',
    // Without the numbers of OpenSSL.
    detail: expect.stringMatching(/^no TLS: [\w ]+$/),
    todo: expect.stringContaining('use http://'),
  });
  expect(await checkTls(new URL(`http://127.0.0.1:${port}/`), now)).toMatchObject({ status: 'SKIPPED' });
});
