/** An API whose clients show certificates: who is let in, what is told of the others, and what a revoked one may do yet. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { submitMutation } from '../support/api.ts';
import { type ApiProcess, startApi } from '../support/api-process.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { hostId } from '../support/reports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let certificates: Certificates;
let api: ApiProcess;
const file = (name: string) => join(certificates.folder, name);

beforeAll(async () => {
  certificates = await makeCertificates();
  const { makeCertificate, writeCrl } = certificates;
  makeCertificate('ca', '/CN=fleet');
  makeCertificate('server', '/CN=localhost', { ca: 'ca', san: 'IP:127.0.0.1' });
  makeCertificate('host', '/CN=web-1', { ca: 'ca', san: `URI:urn:uuid:${hostId(1)}` });
  makeCertificate('dashboard', '/CN=dashboard', { ca: 'ca' });
  await writeCrl('crl.pem', 'ca', []);
  const server = { TLS_CERT: file('server.pem'), TLS_KEY: file('server.key') };
  const clients = { TLS_CLIENT_CA: file('ca.pem'), TLS_CLIENT_CRL: file('crl.pem') };
  api = await startApi(await temporaryFolder(), {
    env: { ...server, ...clients, TLS_CLIENT_SCOPES: 'submit,read', AUTH: 'required' },
  });
});

/** Null for no certificate. @throws Error when the connection is ended without an answer */
async function ask(path: string, name: string | null, body?: object): Promise<string> {
  const shown = name && { cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) };
  const sent = request(new URL(path, api.url), {
    ...{ ca: readFileSync(file('ca.pem')), agent: false, ...shown },
    ...(body ? { method: 'POST', headers: { 'content-type': 'application/json' } } : {}),
  }).end(body && JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return (await response.setEncoding('utf8').toArray()).join('');
}

function submit(name: string, host: number): Promise<string> {
  const input = {
    host: { id: hostId(host), name: 'web' },
    collectedAt: new Date().toISOString(),
    results: [],
  };
  return ask('/graphql', name, { query: submitMutation, variables: { input } });
}

test('a certificate is one host, until it is revoked; who is refused is told and counted', async () => {
  expect(JSON.parse(await submit('host', 1))).toMatchObject({ data: { submitReport: { duplicate: false } } });
  expect(await submit('host', 2)).toContain('"FORBIDDEN"');
  await expect(ask('/health', null)).rejects.toThrow();
  await certificates.writeCrl('crl.pem', 'ca', ['host']);
  api.child.kill('SIGHUP');
  await api.waitFor(/TLS files were read anew/);
  await expect(submit('host', 1)).rejects.toThrow();
  await api.waitFor(/"reason":"CERT_REVOKED","connections":1,"msg":"certificates of clients are refused"/);
  expect(await ask('/metrics', 'dashboard')).toMatch(/refused_total\{reason="credentials"\} 2\n/);
  const query = '{ reports { totalCount } }';
  expect(JSON.parse(await ask('/graphql', 'dashboard', { query }))).toEqual({
    data: { reports: { totalCount: 1 } },
  });
});
