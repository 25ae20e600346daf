/**
 * certificate-files: finds files with certificates, and reads each again only when it was written.
 */
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { CollectContext } from '../plugin.ts';
import { findFiles, type Place } from './find-files.ts';
import { insideRoot } from './linux-files.ts';
import { type Certificate, parseCertificates } from './x509.ts';

/** Chains are short: a file with more is one of the authorities that the host trusts. */
const maxInFile = 20;
/** A chain of twenty takes some 40 KB, and a key with it little more. */
const maxFileBytes = 262_144;
/** Far more than servers have; whoever has more is asked to say which ones matter. */
const maxFiles = 2_000;

const anyName = /\.(?:pem|crt|cer|cert)$/i;

/**
 * Where distributions and their servers keep certificates of their own. Of the pairs that Let's Encrypt's clients
 * write, the certificate alone: the chain repeats it. /etc/ssl/certs and /etc/pki/ca-trust are trust stores.
 */
const commonPlaces: readonly Place[] = [
  { path: '/etc/letsencrypt/live', depth: 2, name: /^cert\.pem$/ },
  { path: '/etc/dehydrated/certs', depth: 2, name: /^cert\.pem$/ },
  { path: '/var/lib/dehydrated/certs', depth: 2, name: /^cert\.pem$/ },
  { path: '/var/lib/acme', depth: 3, name: /^cert(?:\.pem)?$/ },
  { path: '/var/lib/caddy/.local/share/caddy/certificates', depth: 3, name: anyName },
  { path: '/etc/ssl', depth: 1, name: anyName },
  { path: '/etc/pki/tls/certs', depth: 1, name: anyName },
  ...[
    'nginx',
    'apache2',
    'httpd',
    'haproxy',
    'postfix',
    'dovecot',
    'exim4',
    'openvpn',
    'stunnel',
    'pki/nginx',
  ].map((folder) => ({ path: `/etc/${folder}`, depth: 4, name: anyName })),
  { path: '/etc/cockpit/ws-certs.d', depth: 1, name: anyName },
  { path: '/etc/kubernetes/pki', depth: 2, name: anyName },
  { path: '/etc/rancher', depth: 4, name: anyName },
  { path: '/var/lib/kubelet/pki', depth: 1, name: /^kubelet(?:-client-current)?\.(?:pem|crt)$/ },
];

/** What a folder of the user's may have in it at most this far down. */
const ownDepth = 8;

type Options = { paths: readonly string[]; commonPlaces: boolean };

type Kept = Map<string, { stamp: string; certificates: Certificate[] }>;

/**
 * Null when there are none and none is withheld.
 *
 * @throws Error when there are more than can be looked at: part of them would look like all
 */
export async function collectCertificates({ root, signal, options, cache }: CollectContext<Options>) {
  const own = options.paths.map((path) => ({ path, depth: ownDepth, name: anyName }));
  const places = [...(options.commonPlaces ? commonPlaces : []), ...own];
  const { files, unreadable } = await findFiles({ root, signal, places, maxFiles });
  const before = (cache.get('files') as Kept | undefined) ?? new Map();
  const kept: Kept = new Map();
  for (const path of files) {
    signal.throwIfAborted();
    const read = await readCertificates(root, path, before);
    if (read === 'unreadable') unreadable.push(path);
    else if (read) kept.set(path, read);
  }
  cache.set('files', kept);
  const certificates = [...kept].flatMap(([path, { certificates }]) =>
    certificates.map((certificate, position) => ({ path, position, ...certificate })),
  );
  if (certificates.length === 0 && unreadable.length === 0) return null;
  const nextExpiryAt = certificates.map(({ notAfter }) => notAfter).sort()[0] ?? null;
  return { nextExpiryAt, certificates, unreadable: unreadable.sort() };
}

type ReadFile = { stamp: string; certificates: Certificate[] };

async function readCertificates(
  root: string,
  path: string,
  before: Kept,
): Promise<ReadFile | 'unreadable' | null> {
  try {
    const real = await insideRoot(root, path);
    const found = await stat(real);
    if (!found.isFile() || found.size > maxFileBytes) return null;
    const stamp = stampOf(found);
    const kept = before.get(path);
    if (kept?.stamp === stamp) return kept;
    const certificates = parseCertificates(await readFile(real));
    return { stamp, certificates: certificates.length > maxInFile ? [] : certificates };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return 'unreadable';
    return null; // gone since it was found, or a link that leads nowhere
  }
}

function stampOf({ mtimeMs, ctimeMs, size, ino }: Stats): string {
  return [mtimeMs, ctimeMs, size, ino].join(' ');
}
