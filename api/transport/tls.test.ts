/** TLS with real certificates: renewed while it runs, and asked of clients. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { apiLog } from '../../test/support/api-log.ts';
import { type Certificates, makeCertificates } from '../../test/support/certificates.ts';
import { openRaw } from '../../test/support/raw-http.ts';
import { hostId } from '../../test/support/reports.ts';
import type { Identity, Scope } from '../auth/identity.ts';
import { breakOff } from './break-off.ts';
import { makeCertificateOf } from './client-certificate.ts';
import { openHttpListener } from './http-listener.ts';
import { openTlsFiles } from './tls-files.ts';

let certificates: Certificates;
const file = (name: string) => join(certificates.folder, name);
beforeAll(async () => {
  certificates = await makeCertificates();
  const { makeCertificate } = certificates;
  makeCertificate('server', '/CN=localhost', { san: 'DNS:localhost,IP:127.0.0.1' });
  makeCertificate('renewed', '/CN=localhost', { san: 'DNS:localhost,IP:127.0.0.1', days: 3 });
  makeCertificate('ca', '/CN=fleet');
  makeCertificate('stranger', '/CN=boss');
  makeCertificate('client', '/CN=dashboard', { ca: 'ca' });
  makeCertificate('host', `/CN=web-1`, { ca: 'ca', san: `URI:urn:uuid:${hostId(1)}` });
  makeCertificate('signing', '/CN=web-2', { ca: 'ca', maySign: true });
  makeCertificate('other-ca', '/CN=dashboards');
  makeCertificate('other', '/CN=wall', { ca: 'other-ca' });
  await writeFile(file('empty.pem'), '');
  makeCertificate('named', `/CN=${hostId(2).toUpperCase()}`, { ca: 'ca' });
});

async function listen(clientCa: string | null = null, scopes: Scope[] = [], clientCrl: string | null = null) {
  await copyFile(file('server.pem'), file('cert.pem'));
  await copyFile(file('server.key'), file('key.pem'));
  const log = apiLog();
  const refused: [string, number][] = [];
  const tls = {
    certFile: file('cert.pem'),
    keyFile: file('key.pem'),
    clientCaFile: clientCa && file(`${clientCa}.pem`),
    clientCrlFile: clientCrl && file(clientCrl),
    clientScopes: scopes,
  };
  const files = await openTlsFiles(tls, (...change) => listener.changeTls(...change), log.logger);
  const listener = await openHttpListener({
    host: '127.0.0.1',
    port: 0,
    tls: {
      options: files.current(),
      asksForCertificate: clientCa !== null,
      onRefusedCertificates: (...told) => refused.push(told),
    },
  });
  const certificateOf = makeCertificateOf(scopes);
  const seen: (Identity | null)[] = [];
  listener.answerWith((req, response) => {
    seen.push(certificateOf({ req }));
    response.end('hello');
  });
  onTestFinished(async () => {
    files.close();
    await listener.close();
  });
  return { listener, files, log, seen, refused };
}

async function ask(origin: string, options: RequestOptions = {}) {
  const ca = [await readFile(file('server.pem')), await readFile(file('renewed.pem'))];
  const sent = request(origin, { ca, agent: new Agent({ keepAlive: false }), ...options }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const { subject } = (response.socket as TLSSocket).getPeerX509Certificate() ?? { subject: null };
  const { valid_to } = (response.socket as TLSSocket).getPeerCertificate();
  response.resume();
  return {
    status: response.statusCode,
    isResumed: (response.socket as TLSSocket).isSessionReused(),
    subject,
    validTo: Date.parse(valid_to),
    protocol: (response.socket as TLSSocket).getProtocol(),
  };
}

const shown = async (name: string) => ({
  cert: await readFile(file(`${name}.pem`)),
  key: await readFile(file(`${name}.key`)),
});

test('a new certificate is taken without a restart, and connections that are there go on', async () => {
  const { listener, files, log } = await listen();
  expect(listener.origin).toMatch(/^https:/);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const before = await ask(listener.origin, { agent });
  expect(before).toMatchObject({ status: 200, subject: 'CN=localhost', protocol: 'TLSv1.3' });
  // As what renews certificates does: beside it, and over it.
  for (const [from, to] of [
    ['renewed.pem', 'cert.pem'],
    ['renewed.key', 'key.pem'],
  ] as const) {
    await copyFile(file(from), file(`${to}.new`));
    await rename(file(`${to}.new`), file(to));
  }
  await files.reload();
  expect((await ask(listener.origin, { agent })).validTo).toBe(before.validTo);
  expect((await ask(listener.origin)).validTo).toBeLessThan(before.validTo);
  expect(log.lines().map(({ msg }) => msg)).toEqual([
    'TLS files were read anew',
    'the TLS certificate ends soon: renew it',
  ]);
});

test('what cannot be used leaves the old in its place, and is told once', async () => {
  const { listener, files, log } = await listen();
  await copyFile(file('renewed.pem'), file('cert.pem'));
  await files.reload();
  await files.reload();
  await writeFile(file('cert.pem'), 'nothing');
  await files.reload();
  expect((await ask(listener.origin)).status).toBe(200);
  expect(log.lines().map(({ reason }) => reason)).toEqual([
    `TLS_KEY: ${file('key.pem')}: is not the key of TLS_CERT`,
    `TLS_CERT: ${file('cert.pem')} holds no certificate in PEM`,
  ]);
});

test.each([
  ['TLS_CERT', { certFile: 'missing.pem' }, /TLS_CERT: .*missing\.pem/],
  ['TLS_KEY', { keyFile: 'stranger.key' }, /TLS_KEY: .*stranger\.key: is not the key of TLS_CERT/],
  ['TLS_CLIENT_CA', { clientCaFile: 'key.pem' }, /TLS_CLIENT_CA: .* holds no certificate/],
  ['TLS_CLIENT_CRL', { clientCrlFile: 'ca.pem' }, /TLS_CLIENT_CRL: .*ca\.pem must hold lists of revoked/],
  ['TLS_CLIENT_CRL that is empty', { clientCrlFile: 'empty.pem' }, /TLS_CLIENT_CRL: .* must hold lists/],
])('%s that cannot be used ends the start, and is named', async (_setting, wrong, message) => {
  const clients = { clientCaFile: null, clientCrlFile: null, clientScopes: [] };
  const right = { certFile: 'server.pem', keyFile: 'server.key', ...clients };
  const named = Object.fromEntries(
    Object.entries({ ...right, ...wrong }).map(([name, value]) => [
      name,
      typeof value === 'string' ? file(value) : value,
    ]),
  );
  await expect(openTlsFiles(named as never, () => {}, apiLog().logger)).rejects.toThrow(message);
});

test('clients must show a certificate of the authority, which says who they are', async () => {
  const { listener, seen } = await listen('ca', ['submit']);
  await expect(ask(listener.origin)).rejects.toThrow();
  await expect(ask(listener.origin, await shown('stranger'))).rejects.toThrow();
  expect(seen).toEqual([]);
  for (const name of ['client', 'host', 'named']) {
    expect((await ask(listener.origin, await shown(name))).status).toBe(200);
  }
  const fingerprint = new X509Certificate(await readFile(file('client.pem'))).fingerprint256;
  const common = { kind: 'certificate', scopes: new Set(['submit']) };
  expect(seen).toMatchObject([
    { ...common, id: fingerprint.replaceAll(':', '').toLowerCase(), name: 'dashboard', narrowedTo: null },
    { ...common, name: 'web-1', narrowedTo: { hostId: hostId(1), labels: null } },
    { ...common, narrowedTo: { hostId: hostId(2), labels: null } },
  ]);
});

test('one that may sign others is nobody, as its owner could be any host', async () => {
  const { listener, seen } = await listen('ca', ['submit']);
  await ask(listener.origin, await shown('signing'));
  expect(seen).toEqual([null]);
});

test('a certificate that is revoked ends its connections, and begins no other', async () => {
  await certificates.writeCrl('crl.pem', 'ca', ['named']);
  const { listener, files, log, refused } = await listen('ca', ['submit'], 'crl.pem');
  await expect(ask(listener.origin, await shown('named'))).rejects.toThrow();
  const agents = { host: new Agent({ keepAlive: true }), client: new Agent({ keepAlive: true }) };
  onTestFinished(() => Object.values(agents).forEach((agent) => void agent.destroy()));
  const by = async (name: 'host' | 'client') => ({ agent: agents[name], ...(await shown(name)) });
  for (const name of ['host', 'client'] as const)
    expect((await ask(listener.origin, await by(name))).status).toBe(200);
  const [[kept] = []] = Object.values(agents.host.freeSockets);
  const ended = once(kept as TLSSocket, 'close');
  await certificates.writeCrl('crl.pem', 'ca', ['named', 'host']);
  await files.reload();
  await ended;
  await expect(ask(listener.origin, await by('host'))).rejects.toThrow();
  expect((await ask(listener.origin, await by('client'))).status).toBe(200);
  // The first at once; the others in a minute.
  expect(refused).toEqual([['CERT_REVOKED', 1]]);
  expect(log.lines().map(({ msg }) => msg)).toEqual(['TLS files were read anew']);
});

test('what comes on a connection after its certificate was revoked is not begun', async () => {
  await certificates.writeCrl('crl.pem', 'ca', []);
  const { listener, files } = await listen('ca', ['submit'], 'crl.pem');
  const asked = Promise.withResolvers<() => void>();
  const paths: (string | undefined)[] = [];
  listener.answerWith(({ url }, response) => {
    paths.push(url);
    asked.resolve(() => response.end('the first'));
  });
  const { hostname, port } = new URL(listener.origin);
  const ca = await readFile(file('server.pem'));
  const socket = connect({ host: hostname, port: Number(port), ca, ...(await shown('host')) });
  const text = socket.setEncoding('utf8').toArray();
  socket.write('GET /first HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const answer = await asked.promise;
  await certificates.writeCrl('crl.pem', 'ca', ['host']);
  await files.reload();
  // Once these are there: an answer that is not theirs is the next to be written.
  socket.write('GET /second HTTP/1.1\r\nhost: localhost\r\n\r\n', () => setImmediate(answer));
  expect((await text).join('')).toContain('the first');
  expect(paths).toEqual(['/first']);
});

test('no session is resumed where certificates are asked for, as nobody would look whether they are good yet', async () => {
  const resumed = async (origin: string, options: RequestOptions) => {
    const agent = new Agent();
    await ask(origin, { agent, ...options });
    return (await ask(origin, { agent, ...options })).isResumed;
  };
  const open = await listen();
  expect(await resumed(open.listener.origin, {})).toBe(true);
  const closed = await listen('ca', ['submit']);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    expect(await resumed(closed.listener.origin, { maxVersion, ...(await shown('host')) })).toBe(false);
  await copyFile(file('renewed.pem'), file('cert.pem'));
  await copyFile(file('renewed.key'), file('key.pem'));
  await closed.files.reload();
  expect(await resumed(closed.listener.origin, await shown('host'))).toBe(false);
});

test('a file of lists that is cut off leaves the old in its place', async () => {
  await writeFile(
    file('cas.pem'),
    [await readFile(file('ca.pem')), await readFile(file('other-ca.pem'))].join(''),
  );
  await certificates.writeCrl('first.pem', 'ca', []);
  await certificates.writeCrl('second.pem', 'other-ca', []);
  const lists = `${await readFile(file('first.pem'))}${await readFile(file('second.pem'))}`;
  await writeFile(file('crl.pem'), lists);
  const { listener, files, log } = await listen('cas', ['read'], 'crl.pem');
  await writeFile(file('crl.pem'), lists.slice(0, -60));
  await files.reload();
  for (const name of ['client', 'other'])
    expect((await ask(listener.origin, await shown(name))).status).toBe(200);
  expect(log.lines()).toMatchObject([{ reason: expect.stringMatching(/TLS_CLIENT_CRL: .* and whole ones/) }]);
});

test('each authority has a list of its own, and one that is too old lets nobody in', async () => {
  await writeFile(
    file('cas.pem'),
    [await readFile(file('ca.pem')), await readFile(file('other-ca.pem'))].join(''),
  );
  await certificates.writeCrl('crl.pem', 'ca', []);
  const { listener, files, refused } = await listen('cas', ['read'], 'crl.pem');
  expect((await ask(listener.origin, await shown('client'))).status).toBe(200);
  await expect(ask(listener.origin, await shown('other'))).rejects.toThrow();
  await certificates.writeCrl('second.pem', 'other-ca', []);
  const lists = [await readFile(file('crl.pem')), await readFile(file('second.pem'))];
  await writeFile(file('crl.pem'), lists.join(''));
  await files.reload();
  for (const name of ['client', 'other'])
    expect((await ask(listener.origin, await shown(name))).status).toBe(200);
  await certificates.writeCrl(
    'crl.pem',
    'ca',
    [],
    ['-crl_lastupdate', '200101000000Z', '-crl_nextupdate', '200102000000Z'],
  );
  await files.reload();
  await expect(ask(listener.origin, await shown('client'))).rejects.toThrow();
  expect(refused.map(([reason]) => reason)).toEqual(['UNABLE_TO_GET_CRL', 'CRL_HAS_EXPIRED']);
});

test('a certificate that is to say nothing says nothing, and a header never does', async () => {
  const { listener, seen } = await listen('ca');
  const headers = { 'x-ssl-client-cert': 'CN=boss', 'x-client-cert': 'CN=boss' };
  await ask(listener.origin, { ...(await shown('client')), headers });
  expect(seen).toEqual([null]);
});

test('an answer that is broken off is seen to be short', async () => {
  const { listener } = await listen();
  listener.answerWith((_request, response) => {
    response.write('the first part', () => response.socket && breakOff(response.socket));
  });
  const sent = request(listener.origin, { ca: await readFile(file('server.pem')), agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  await expect(response.toArray()).rejects.toThrow(/aborted/);
});

test('a connection that comes to no handshake is ended', async () => {
  await copyFile(file('server.pem'), file('cert.pem'));
  const listener = await openHttpListener({
    ...{ host: '127.0.0.1', port: 0, headersTimeoutMs: 500 },
    tls: {
      options: { cert: await readFile(file('server.pem')), key: await readFile(file('server.key')) },
      asksForCertificate: false,
    },
  });
  onTestFinished(() => void listener.close());
  const { closed } = await openRaw(listener.origin.replace('https:', 'http:'));
  expect(await closed).toBe('');
});
