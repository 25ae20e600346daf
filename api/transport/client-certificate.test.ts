/** Certificates that clients show: who they are by them, and what a revoked one may do yet. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { Agent, type RequestOptions } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { hostId } from '../../test/support/reports.ts';
import { openTlsFleet } from '../../test/support/tls-listener.ts';

const { listen, ask, file, shown, makeCertificate, writeCrl } = await openTlsFleet();
makeCertificate('ca', '/CN=fleet');
makeCertificate('stranger', '/CN=boss');
makeCertificate('client', '/CN=dashboard', { ca: 'ca' });
makeCertificate('host', `/CN=web-1`, { ca: 'ca', san: `URI:urn:uuid:${hostId(1)}` });
makeCertificate('signing', '/CN=web-2', { ca: 'ca', maySign: true });
makeCertificate('named', `/CN=${hostId(2).toUpperCase()}`, { ca: 'ca' });
makeCertificate('other-ca', '/CN=dashboards');
makeCertificate('other', '/CN=wall', { ca: 'other-ca' });

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
  await writeCrl('crl.pem', 'ca', ['named']);
  const { listener, files, log, refused } = await listen('ca', ['submit'], 'crl.pem');
  await expect(ask(listener.origin, await shown('named'))).rejects.toThrow();
  const agents = { host: new Agent({ keepAlive: true }), client: new Agent({ keepAlive: true }) };
  onTestFinished(() => Object.values(agents).forEach((agent) => void agent.destroy()));
  const by = async (name: 'host' | 'client') => ({ agent: agents[name], ...(await shown(name)) });
  for (const name of ['host', 'client'] as const)
    expect((await ask(listener.origin, await by(name))).status).toBe(200);
  const [[kept] = []] = Object.values(agents.host.freeSockets);
  const ended = once(kept as TLSSocket, 'close');
  await writeCrl('crl.pem', 'ca', ['named', 'host']);
  await files.reload();
  await ended;
  await expect(ask(listener.origin, await by('host'))).rejects.toThrow();
  expect((await ask(listener.origin, await by('client'))).status).toBe(200);
  // The first at once; the others in a minute.
  expect(refused).toEqual([['CERT_REVOKED', 1]]);
  expect(log.lines().map(({ msg }) => msg)).toEqual(['TLS files were read anew']);
});

test('what comes on a connection after its certificate was revoked is not begun', async () => {
  await writeCrl('crl.pem', 'ca', []);
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
  await writeCrl('crl.pem', 'ca', ['host']);
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
  await writeCrl('first.pem', 'ca', []);
  await writeCrl('second.pem', 'other-ca', []);
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
  await writeCrl('crl.pem', 'ca', []);
  const { listener, files, refused } = await listen('cas', ['read'], 'crl.pem');
  expect((await ask(listener.origin, await shown('client'))).status).toBe(200);
  await expect(ask(listener.origin, await shown('other'))).rejects.toThrow();
  await writeCrl('second.pem', 'other-ca', []);
  const lists = [await readFile(file('crl.pem')), await readFile(file('second.pem'))];
  await writeFile(file('crl.pem'), lists.join(''));
  await files.reload();
  for (const name of ['client', 'other'])
    expect((await ask(listener.origin, await shown(name))).status).toBe(200);
  await writeCrl(
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
