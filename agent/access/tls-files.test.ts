import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { authorityFiles, pem } from '../../test/support/authority.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { readTls } from './tls-files.ts';

const { ca, clientCert, clientKey } = authorityFiles;
const none = { ca: null, clientCert: null, clientKey: null };
const now = Date.UTC(2030, 0, 1);

test('right files are read, and none is none', async () => {
  const folder = await temporaryFolder({ key: pem.clientKey });
  const key = join(folder, 'key');
  await chmod(key, 0o600);
  const read = await readTls({ ca, clientCert, clientKey: key }, now);
  expect(read).toEqual({
    tls: { ca: pem.ca, cert: pem.clientCert, key: pem.clientKey },
    ...{ problems: [], warnings: [] },
  });
  expect(await readTls(none, now)).toEqual({
    tls: { ca: null, cert: null, key: null },
    ...{ problems: [], warnings: [] },
  });
});

const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n';

test.each([
  [{ ca: '/not/there.pem' }, 'api.ca', 'names /not/there.pem, which is not there'],
  [{ ca: clientKey }, 'api.ca', `names ${clientKey}, which does not hold certificates in PEM`],
  [{ clientCert: clientKey, clientKey }, 'api.clientCert', 'does not hold a certificate in PEM'],
  [{ clientCert, clientKey: clientCert }, 'api.clientKey', 'which holds no private key in PEM'],
  [
    { clientCert, clientKey: authorityFiles.serverKey },
    'api.clientKey',
    `is not the key of the first certificate in ${clientCert}`,
  ],
])('%j is a problem of %s', async (files, path, message) => {
  const { problems } = await readTls({ ...none, ...files }, now);
  expect(problems).toEqual([{ path, message: expect.stringContaining(message) }]);
});

test('a key with a passphrase says what to do, and nothing of the key is told', async () => {
  const folder = await temporaryFolder({ key: encrypted, damaged: pem.clientCert.replace(/\nMII/, '\nXII') });
  const { problems } = await readTls({ ...none, clientCert, clientKey: join(folder, 'key') }, now);
  expect(problems).toEqual([
    { path: 'api.clientKey', message: expect.stringContaining('as "openssl pkey" writes it') },
  ]);
  expect(JSON.stringify(problems)).not.toContain('AAAA');
  const damaged = await readTls({ ...none, ca: join(folder, 'damaged') }, now);
  expect(damaged.problems).toHaveLength(1);
});

test('a certificate that expires, and a key that all may read, are warnings', async () => {
  const folder = await temporaryFolder({ key: pem.clientKey });
  const key = join(folder, 'key');
  await chmod(key, 0o644);
  const files = { ca, clientCert, clientKey: key };
  const after = await readTls(files, Date.UTC(2200, 0, 1));
  expect(after.warnings).toEqual([
    expect.stringMatching(/^api\.clientCert: the certificate expired 2126-/),
    ...(process.platform === 'win32' ? [] : [expect.stringMatching(/^api\.clientKey: .* chmod o-r it$/)]),
  ]);
  const before = await readTls(files, Date.UTC(2000, 0, 1));
  expect(before.warnings[0]).toContain('is valid from');
});
