/** authority: certificates of an authority of our own, made to last: for localhost, 127.0.0.1 and api.example, and of a host. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './process.ts';

const folder = join(repository, 'test/fixtures/tls/authority');

export const authorityFiles = {
  ca: join(folder, 'ca.pem'),
  serverCert: join(folder, 'server.pem'),
  serverKey: join(folder, 'server-key.pem'),
  clientCert: join(folder, 'client.pem'),
  clientKey: join(folder, 'client-key.pem'),
};

export const pem = Object.fromEntries(
  Object.entries(authorityFiles).map(([name, file]) => [name, readFileSync(file, 'utf8')]),
) as Record<keyof typeof authorityFiles, string>;
