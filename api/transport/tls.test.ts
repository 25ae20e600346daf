/** TLS with real certificates, renewed while it runs. */
import { once } from 'node:events';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { expect, onTestFinished, test } from 'vitest';
import { apiLog } from '../../test/support/api-log.ts';
import { openRaw } from '../../test/support/raw-http.ts';
import { openTlsFleet } from '../../test/support/tls-listener.ts';
import { breakOff } from './break-off.ts';
import { openHttpListener } from './http-listener.ts';
import { openTlsFiles } from './tls-files.ts';

const { listen, ask, file, makeCertificate } = await openTlsFleet();
makeCertificate('stranger', '/CN=boss');
makeCertificate('ca', '/CN=fleet');
await writeFile(file('empty.pem'), '');

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
