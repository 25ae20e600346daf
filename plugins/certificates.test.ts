import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testIf } from '../test/support/needs.ts';
import { collectContext, collectIfAny, hostFile, hostRoot } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import certificates from './certificates.ts';
import { parseCertificates, parseSubjectAltNames } from './sources/x509.ts';

const shop = hostFile('ubuntu-24.04-resolved', 'etc/nginx/ssl/shop.example.com.pem');
const [leaf = '', authority = ''] = shop.split(/(?<=-----END CERTIFICATE-----\n)/);

type Found = { path: string; position: number; commonName: string }[];

async function collect(root: string, options = {}, cache = new Map<string, unknown>()) {
  return collectIfAny(certificates, { ...collectContext(root, cache), options });
}

async function names(root: string, options = {}): Promise<string[] | null> {
  const values = await collect(root, options);
  const found = values?.certificates as Found | undefined;
  return found?.map(({ path, position, commonName }) => `${path} ${position} ${commonName}`) ?? null;
}

test('a host without any has nothing to report', async () => {
  expect(
    await collect(await temporaryFolder({ 'etc/nginx/nginx.conf': 'server {}', 'etc/nginx/x.pem': '' })),
  ).toBeNull();
});

test('of a file that holds a key as well only the certificates are told', async () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const root = await temporaryFolder({
    'etc/haproxy/site.pem': `${privateKey}Bag Attributes\n${leaf}${authority}`,
  });
  expect(await names(root)).toEqual([
    '/etc/haproxy/site.pem 0 shop.example.com',
    '/etc/haproxy/site.pem 1 Example Corporate CA',
  ]);
  const secret = privateKey.split('\n')[1] ?? '';
  expect(secret.length).toBeGreaterThan(20);
  expect(JSON.stringify(await collect(root))).not.toContain(secret);
});

test('a trust store is left out, wherever it lies', async () => {
  const root = await temporaryFolder({
    'etc/ssl/cert.pem': authority.repeat(21),
    'etc/ssl/certs/ca.pem': authority,
    'etc/nginx/chain.pem': authority.repeat(2),
  });
  expect(await names(root)).toEqual([
    '/etc/nginx/chain.pem 0 Example Corporate CA',
    '/etc/nginx/chain.pem 1 Example Corporate CA',
  ]);
});

test('the options name more places: files, folders and patterns', async () => {
  const root = await temporaryFolder({
    'opt/app/tls.txt': leaf,
    'srv/a/tls/one.pem': leaf,
    'srv/b/tls/two.pem': authority,
    'data/deep/er/x.crt': leaf,
    'data/notes.txt': leaf,
    'etc/nginx/x.pem': leaf,
  });
  const paths = ['/opt/app/tls.txt', '/srv/*/tls/*.pem', '/data', '/not/there', '/etc/nginx/x.pem'];
  const wanted = [
    '/data/deep/er/x.crt',
    '/etc/nginx/x.pem',
    '/opt/app/tls.txt',
    '/srv/a/tls/one.pem',
    '/srv/b/tls/two.pem',
  ];
  expect((await names(root, { paths, commonPlaces: false }))?.map((line) => line.split(' ')[0])).toEqual(
    wanted,
  );
  expect((await names(root, { paths: ['/data'] }))?.length).toBe(2);
  expect(certificates.options?.safeParse({ paths: ['etc'] }).success).toBe(false);
});

test('links do not lead out of the root, nor in a circle', async () => {
  const outside = await temporaryFolder({ 'x.pem': leaf });
  const root = await temporaryFolder({ 'etc/nginx/own.pem': authority, 'srv/x': '' });
  await symlink(outside, join(root, 'etc/nginx/outside'));
  await symlink('.', join(root, 'etc/nginx/again'));
  await symlink(join(outside, 'x.pem'), join(root, 'etc/nginx/absolute.pem'));
  await symlink(outside, join(root, 'srv/link'));
  const own = ['/etc/nginx/own.pem 0 Example Corporate CA'];
  expect(await names(root, { paths: ['/srv/*/*.pem', '/etc/nginx/again/*.pem'] })).toEqual([
    '/etc/nginx/again/own.pem 0 Example Corporate CA',
    ...own,
  ]);
  expect(await names(root)).toEqual(own);
});

test('a file is read again only when it was written', async () => {
  const root = await temporaryFolder({ 'etc/nginx/a.pem': leaf });
  const cache = new Map<string, unknown>();
  const first = await collect(root, {}, cache);
  const kept = (cache.get('files') as Map<string, object>).get('/etc/nginx/a.pem');
  expect(await collect(root, {}, cache)).toEqual(first);
  expect((cache.get('files') as Map<string, object>).get('/etc/nginx/a.pem')).toBe(kept);
  await writeFile(join(root, 'etc/nginx/a.pem'), shop);
  expect((await collect(root, {}, cache))?.certificates).toHaveLength(2);
  expect(first?.certificates).toHaveLength(1);
});

testIf(
  process.getuid?.() === 0 && process.platform === 'linux',
  'needs root to become another user',
  'what may not be read is named',
  async () => {
    const root = await temporaryFolder({
      'etc/letsencrypt/live/a/cert.pem': leaf,
      'etc/nginx/secret.pem': leaf,
    });
    await chmod(root, 0o755);
    await chmod(join(root, 'etc/letsencrypt/live'), 0o700);
    await chmod(join(root, 'etc/nginx/secret.pem'), 0o600);
    const script = `
    const { default: plugin } = await import(${JSON.stringify(import.meta.resolve('./certificates.ts'))});
    process.setuid(65534);
    const { signal } = new AbortController();
    const options = plugin.options.parse({});
    console.log(JSON.stringify(await plugin.collect({ root: ${JSON.stringify(root)}, signal, options, cache: new Map() })));`;
    const told = JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }),
    );
    expect(told).toEqual({
      nextExpiryAt: null,
      certificates: [],
      unreadable: ['/etc/letsencrypt/live', '/etc/nginx/secret.pem'],
    });
  },
);

test('more files than can be looked at are an error, not a part of them', async () => {
  const root = await temporaryFolder({ 'etc/hosts': '' });
  await mkdir(join(root, 'etc/nginx'));
  for (let i = 0; i <= 2_000; i++) await writeFile(join(root, 'etc/nginx', `${i}.pem`), '');
  await expect(collect(root)).rejects.toThrow('more than 2000 files may hold one, such as /etc/nginx/');
});

test('what is no certificate, or a damaged one, is passed over', () => {
  const torn = leaf.slice(0, leaf.length / 2);
  const wrong = leaf.replace(/[A-Za-z]{20}/, 'x'.repeat(20));
  const texts = ['', 'hello', torn, '-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n'];
  for (const text of texts) expect(parseCertificates(Buffer.from(text))).toEqual([]);
  expect(parseCertificates(Buffer.from(`${torn}\n${wrong}${authority}`)).at(-1)?.commonName).toBe(
    'Example Corporate CA',
  );
  expect(parseCertificates(Uint8Array.from([0x30, 0x82, 1, 2, 3]))).toEqual([]);
});

test('a certificate in DER tells the same as in PEM', async () => {
  const der = await readFile(join(hostRoot('ubuntu-24.04-resolved'), 'etc/haproxy/corporate-ca.cer'));
  expect(parseCertificates(der)).toEqual(parseCertificates(Buffer.from(authority)));
});

test.each([
  ['DNS:a.example, DNS:*.a.example', ['a.example', '*.a.example']],
  ['IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1', ['192.0.2.1', '2001:db8::1']],
  ['URI:"http://a/, DNS:b", email:x@example.org', ['URI:http://a/, DNS:b', 'email:x@example.org']],
  ['DNS:"a\\"b", IP Address:<invalid length=5>', ['a"b', '<invalid length=5>']],
  ['', []],
])('alternative names %s', (text, expected) => {
  expect(parseSubjectAltNames(text)).toEqual(expected);
});
