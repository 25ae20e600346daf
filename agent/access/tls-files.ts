/**
 * tls-files: whom the agent trusts beside the usual authorities, and the certificate that it shows of itself.
 *
 * Says everything that is wrong with the files before anything is sent.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Problem } from '../problem.ts';

/** Absolute paths of PEM files, as the config has them; null for what it does not name. */
export type TlsFiles = { ca: string | null; clientCert: string | null; clientKey: string | null };

/** What is in them. The key is a secret. */
export type TlsMaterial = { ca: string | null; cert: string | null; key: string | null };

export type ReadTls = { tls: TlsMaterial; problems: Problem[]; warnings: string[] };

const settings = { ca: 'api.ca', clientCert: 'api.clientCert', clientKey: 'api.clientKey' } as const;

/** Whoever renews by hand needs some days. */
export const expiresSoonMs = 14 * 86_400_000;

/** @param now milliseconds since 1970 */
export async function readTls(files: TlsFiles, now: number): Promise<ReadTls> {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const complain = (path: string, message: string) => problems.push({ path, message });

  async function read(name: keyof TlsFiles): Promise<string | null> {
    const file = files[name];
    if (file === null) return null;
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'which is not there' : `which cannot be read: ${code}`;
      complain(settings[name], `names ${file}, ${why}`);
      return null;
    }
  }

  const [ca, cert, key] = await Promise.all([read('ca'), read('clientCert'), read('clientKey')]);
  if (ca !== null && certificatesIn(ca) === null) complain(settings.ca, notPem(files.ca, 'certificates'));
  const chain = cert === null ? null : certificatesIn(cert);
  if (cert !== null && chain === null)
    complain(settings.clientCert, notPem(files.clientCert, 'a certificate'));
  const privateKey = key === null ? null : keyIn(key);
  if (typeof privateKey === 'string') complain(settings.clientKey, `names ${files.clientKey}, ${privateKey}`);
  else if (chain?.[0] && privateKey && !chain[0].checkPrivateKey(privateKey)) {
    complain(settings.clientKey, `is not the key of the first certificate in ${files.clientCert}`);
  }
  const validity = chain?.[0] ? judgeValidity(chain[0], now) : null;
  if (validity && validity.status !== 'OK') warnings.push(`${settings.clientCert}: ${validity.detail}`);
  if (files.clientKey !== null && (await isOpenToAll(files.clientKey))) {
    warnings.push(
      `${settings.clientKey}: ${files.clientKey} holds a key that every user of this host can read: chmod o-r it`,
    );
  }
  return { tls: { ca, cert, key }, problems, warnings };
}

export type Validity = { status: 'OK' | 'SOON' | 'NOT_YET' | 'EXPIRED'; detail: string };

/** @param now milliseconds since 1970 */
export function judgeValidity({ validFromDate, validToDate }: X509Certificate, now: number): Validity {
  const until = validToDate.toISOString();
  if (now > validToDate.getTime()) return { status: 'EXPIRED', detail: `the certificate expired ${until}` };
  if (now < validFromDate.getTime()) {
    return { status: 'NOT_YET', detail: `the certificate is valid from ${validFromDate.toISOString()} on` };
  }
  const isSoon = validToDate.getTime() - now < expiresSoonMs;
  return { status: isSoon ? 'SOON' : 'OK', detail: `the certificate is valid until ${until}` };
}

const pemBlock = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** Null when there is none, or one that is damaged. */
export function certificatesIn(pem: string): X509Certificate[] | null {
  try {
    const found = (pem.match(pemBlock) ?? []).map((block) => new X509Certificate(block));
    return found.length > 0 ? found : null;
  } catch {
    return null;
  }
}

/** The key, or what is wrong with it. */
function keyIn(pem: string): KeyObject | string {
  if (/ENCRYPTED/.test(pem)) {
    return 'whose key wants a passphrase: store it without, as "openssl pkey" writes it, for the agent alone to read';
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return 'which holds no private key in PEM';
  }
}

function notPem(file: string | null, what: string): string {
  return `names ${file}, which does not hold ${what} in PEM: text between "-----BEGIN CERTIFICATE-----" and "-----END CERTIFICATE-----"`;
}

async function isOpenToAll(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  // On Windows the mode says nothing of who may read.
  return found !== null && process.platform !== 'win32' && (found.mode & 0o004) !== 0;
}
