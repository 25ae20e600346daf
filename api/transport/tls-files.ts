/**
 * tls-files: the certificate of the API, its key, whose certificates clients must show, and which are revoked; from files that may change.
 *
 * They are read again every few seconds rather than watched: what renews them may write, rename or swap a link, and a
 * new certificate is hours early. What cannot be used leaves the last that could in its place.
 */
import { constants, createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import { messageOf } from '../../plugins/message-of.ts';
import type { TlsSettings } from '../settings/transport.ts';

const readEveryMs = 10_000;
const dayMs = 24 * 60 * 60 * 1000;
/** What renews certificates does so a month before. */
const warnBeforeMs = 14 * dayMs;

export type TlsChange = {
  /** Certificates of clients are checked otherwise than until now. */
  checksClientsAnew: boolean;
};

export type TlsFiles = {
  /** What connections begin with from now on. */
  current(): SecureContextOptions;
  /** When the certificate ends, milliseconds since 1970. */
  expiresAt(): number;
  /** Looks at once, as for a signal. */
  reload(): Promise<void>;
  close(): void;
};

/** A session that is resumed would not look at the certificate again, nor whether it or the list has come to its end since. */
const noSessions = { secureOptions: constants.SSL_OP_NO_TICKET };

type Loaded = {
  options: SecureContextOptions;
  expiresAt: number;
  digest: string;
  /** Of what certificates of clients are checked against. */
  clientsDigest: string;
};

/**
 * @param onChange handed what connections are to begin with
 * @throws Error that names the file, and what is wrong with it
 */
export async function openTlsFiles(
  settings: TlsSettings,
  onChange: (options: SecureContextOptions, change: TlsChange) => void,
  logger: Pick<Logger, 'info' | 'warn' | 'error'>,
): Promise<TlsFiles> {
  let loaded = await load(settings);
  let refused = '';
  let warnedAt = Number.NEGATIVE_INFINITY;
  warnIfOld();
  const timer = setInterval(reload, readEveryMs).unref();

  async function reload(): Promise<void> {
    try {
      const next = await load(settings);
      refused = '';
      if (next.digest !== loaded.digest) {
        const checksClientsAnew = next.clientsDigest !== loaded.clientsDigest;
        loaded = next;
        onChange(next.options, { checksClientsAnew });
        logger.info({ expiresAt: new Date(next.expiresAt).toISOString() }, 'TLS files were read anew');
      }
    } catch (cause) {
      const message = messageOf(cause);
      // Once, and not with every look.
      if (message !== refused)
        logger.error({ reason: message }, 'new TLS files cannot be used: the old ones go on');
      refused = message;
    }
    warnIfOld();
  }

  function warnIfOld(): void {
    const leftMs = loaded.expiresAt - Date.now();
    if (leftMs > warnBeforeMs || Date.now() - warnedAt < dayMs) return;
    warnedAt = Date.now();
    const expiresAt = new Date(loaded.expiresAt).toISOString();
    logger.warn({ file: settings.certFile, expiresAt }, 'the TLS certificate ends soon: renew it');
  }

  return {
    current: () => loaded.options,
    expiresAt: () => loaded.expiresAt,
    reload,
    close: () => clearInterval(timer),
  };
}

async function load({ certFile, keyFile, clientCaFile, clientCrlFile }: TlsSettings): Promise<Loaded> {
  const [cert, key, ca, crl] = await Promise.all([
    read('TLS_CERT', certFile),
    read('TLS_KEY', keyFile),
    clientCaFile === null ? null : readCa(clientCaFile),
    clientCrlFile === null ? null : readCrls(clientCrlFile),
  ]);
  const certificate = parsed('TLS_CERT', certFile, cert);
  const clients = { ...(ca === null ? {} : { ca, ...noSessions }), ...(crl === null ? {} : { crl }) };
  const options: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2', ...clients };
  try {
    // Refuses a key that is another certificate's.
    createSecureContext(options);
  } catch (cause) {
    const reason = /key values mismatch/i.test(messageOf(cause))
      ? 'is not the key of TLS_CERT'
      : messageOf(cause);
    throw new Error(`TLS_KEY: ${keyFile}: ${reason}`, { cause });
  }
  const clientsDigest = digestOf(clients);
  const digest = digestOf([cert, key, clientsDigest]);
  return { options, expiresAt: Date.parse(certificate.validTo), digest, clientsDigest };
}

function digestOf(options: object): string {
  return createHash('sha256').update(JSON.stringify(options)).digest('hex');
}

async function read(setting: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`${setting}: ${messageOf(cause)}`, { cause });
  }
}

function parsed(setting: string, file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error(`${setting}: ${file} holds no certificate in PEM`, { cause });
  }
}

async function readCa(file: string): Promise<string> {
  const pem = await read('TLS_CLIENT_CA', file);
  parsed('TLS_CLIENT_CA', file, pem);
  return pem;
}

/** Each list of a file by itself, as Node reads but the first of a text. */
async function readCrls(file: string): Promise<string[]> {
  const pem = await read('TLS_CLIENT_CRL', file);
  const lists = pem.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
  const begun = pem.split('-----BEGIN').length - 1;
  try {
    if (lists.length === 0 || lists.length < begun)
      throw new Error('it is not lists alone, each with its end');
    createSecureContext({ crl: lists });
    return lists;
  } catch (cause) {
    const message = `TLS_CLIENT_CRL: ${file} must hold lists of revoked certificates (CRL) in PEM, and whole ones`;
    throw new Error(message, { cause });
  }
}
