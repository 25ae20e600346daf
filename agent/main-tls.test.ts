import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runAgent, startAgent } from '../test/support/agent-process.ts';
import { authorityFiles, pem } from '../test/support/authority.ts';
import { jsonOf } from '../test/support/request-body.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

/** Takes reports of those alone who show a certificate of our authority. */
async function startTlsApi(): Promise<string> {
  const own = { cert: pem.serverCert, key: pem.serverKey, ca: pem.ca };
  const options = { ...own, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, async (request, response) => {
    const { variables } = ((await jsonOf(request)) ?? {}) as { variables?: { input?: { id: string } } };
    const submitReport = { duplicate: false, report: { id: variables?.input?.id } };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ data: { __typename: 'Query', submitReport } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}/graphql`;
}

async function host(url: string) {
  const cwd = await temporaryFolder();
  const [ca, clientCert, clientKey] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => join(cwd, name)) as [
    string,
    string,
    string,
  ];
  await copyFile(authorityFiles.ca, ca);
  await copyFile(authorityFiles.clientCert, clientCert);
  await copyFile(authorityFiles.clientKey, clientKey);
  await chmod(clientKey, 0o600);
  const config = { api: { url, ca, clientCert, clientKey }, interval: '1s', plugins: ['os'] };
  await writeFile(join(cwd, 'agent.config.json'), JSON.stringify(config));
  return { cwd, ca, clientCert, clientKey, config };
}

test('once, check and doctor go by the certificates of the config', async () => {
  const { cwd, clientKey } = await host(await startTlsApi());
  expect(await runAgent(['once'], { cwd })).toMatchObject({ code: 0 });
  expect(await runAgent(['check'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  const doctor = await runAgent(['doctor'], { cwd });
  expect(doctor).toMatchObject({ code: 0 });
  expect(doctor.stdout).toMatch(/OK +tls: TLSv1/);
  expect(doctor.stdout).toMatch(
    /OK +client certificate: the certificate is valid until 2126-.* it is of CN=f4271aa0-/,
  );
  await copyFile(authorityFiles.serverKey, clientKey);
  const wrong = await runAgent(['doctor'], { cwd });
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain('api.clientKey: is not the key of the first certificate in');
});

test('half of the pair, a path from nowhere and no TLS at all are told', async () => {
  const { cwd, config } = await host('http://127.0.0.1:8080/graphql');
  const { url, ca, clientCert } = config.api;
  const check = async (api: object) => {
    await writeFile(join(cwd, 'agent.config.json'), JSON.stringify({ api, plugins: ['os'] }));
    return runAgent(['check'], { cwd });
  };
  expect((await check({ url, clientCert })).stderr).toContain(
    'api.clientKey: is missing: api.clientCert needs',
  );
  expect((await check({ url, ca: 'ca.pem' })).stderr).toContain('api.ca: must be an absolute path');
  expect((await check({ url, ca })).stderr).toContain('warning: api.url: begins with http://');
});

test('the daemon takes over certificates that change, and keeps the old ones while they do not fit', async () => {
  const url = await startTlsApi();
  const { cwd, ca, clientKey } = await host(url);
  await copyFile(join(authorityFiles.ca, '../../self-signed.pem'), ca);
  const agent = startAgent(['run'], { cwd });
  await agent.waitFor(/its authority trusted \(api\.ca\)/);
  await copyFile(authorityFiles.serverKey, clientKey);
  await agent.waitFor(/config not taken, the old one stays/);
  await copyFile(authorityFiles.clientKey, clientKey);
  await copyFile(authorityFiles.ca, ca);
  await agent.waitFor(/"changed":\["api.ca"\]/);
  await agent.waitFor(/report submitted/);
  agent.child.kill('SIGTERM');
  const { stdout } = await agent.exit;
  expect(stdout).not.toContain('PRIVATE KEY');
  for (const line of pem.clientKey.split('\n').slice(1, -2)) expect(stdout).not.toContain(line);
});
