/** tls-listener: a listener with certificates of a fleet of its own, of which some are shown by clients, and what asks it. */
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Identity, Scope } from '../../api/auth/identity.ts';
import { makeCertificateOf } from '../../api/transport/client-certificate.ts';
import { openHttpListener } from '../../api/transport/http-listener.ts';
import { openTlsFiles } from '../../api/transport/tls-files.ts';
import { apiLog } from './api-log.ts';
import { type Certificates, makeCertificates } from './certificates.ts';

/** With two certificates of the server: `server`, and `renewed`, which ends soon. */
export async function openTlsFleet() {
  const certificates: Certificates = await makeCertificates();
  const file = (name: string) => join(certificates.folder, name);
  const san = 'DNS:localhost,IP:127.0.0.1';
  certificates.makeCertificate('server', '/CN=localhost', { san });
  certificates.makeCertificate('renewed', '/CN=localhost', { san, days: 3 });

  /** Until the test ends; answers `hello`, and keeps who it was. */
  async function listen(
    clientCa: string | null = null,
    scopes: Scope[] = [],
    clientCrl: string | null = null,
  ) {
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

  /** What came back, and by which connection. */
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

  /** As a client shows it. */
  const shown = async (name: string) => ({
    cert: await readFile(file(`${name}.pem`)),
    key: await readFile(file(`${name}.key`)),
  });

  return { ...certificates, file, listen, ask, shown };
}
