/**
 * x509: reads certificates from the bytes of a file, PEM or DER, and shapes what they say.
 *
 * Of a file that holds keys as well only the certificates are looked at. What is no certificate is passed over.
 */
import { X509Certificate } from 'node:crypto';
import { isIPv6, SocketAddress } from 'node:net';

export type Certificate = {
  commonName: string | null;
  subject: string | null;
  issuer: string | null;
  serialNumber: string;
  notBefore: string;
  notAfter: string;
  subjectAltNames: string[];
  keyType: string | null;
  keyBits: number | null;
  signatureAlgorithm: string | null;
  isAuthority: boolean;
  selfSigned: boolean | null;
  fingerprintSha256: string;
};

const pemBlock = /-----BEGIN (?:X509 )?CERTIFICATE-----[^-]+-----END (?:X509 )?CERTIFICATE-----/g;

/** In the order of the file. */
export function parseCertificates(bytes: Uint8Array): Certificate[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (text.includes('-----BEGIN ')) {
    return [...text.matchAll(pemBlock)].flatMap(([block]) => parseOne(block));
  }
  // DER begins with a sequence of a length that takes two bytes.
  return bytes[0] === 0x30 && bytes[1] === 0x82 ? parseOne(bytes) : [];
}

function parseOne(encoded: string | Uint8Array): Certificate[] {
  try {
    return [toCertificate(new X509Certificate(encoded))];
  } catch {
    return []; // damaged, or of a kind that OpenSSL does not know
  }
}

function toCertificate(certificate: X509Certificate): Certificate {
  const subject = nameOf(certificate.subject);
  return {
    commonName: commonNameOf(certificate.subject),
    subject,
    issuer: nameOf(certificate.issuer),
    serialNumber: certificate.serialNumber,
    notBefore: certificate.validFromDate.toISOString(),
    notAfter: certificate.validToDate.toISOString(),
    subjectAltNames: parseSubjectAltNames(certificate.subjectAltName ?? ''),
    ...keyOf(certificate),
    signatureAlgorithm: certificate.signatureAlgorithm ?? null,
    isAuthority: certificate.ca,
    fingerprintSha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** Node.js parts the parts of a name by lines; undefined when there are none. */
function nameOf(lines: string | undefined): string | null {
  return clean(lines?.split('\n').join(', '));
}

/** The last one, which is the narrowest. */
function commonNameOf(lines: string | undefined): string | null {
  return clean(
    lines
      ?.split('\n')
      .findLast((line) => line.startsWith('CN='))
      ?.slice(3),
  );
}

function clean(value: string | undefined): string | null {
  return value?.replaceAll('\0', '').toWellFormed().trim() || null;
}

/**
 * From `DNS:a.example, IP Address:192.0.2.1, URI:"…"`, where a value that holds a comma or the like is written as
 * JSON text.
 */
export function parseSubjectAltNames(text: string): string[] {
  const names = text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return [...names].flatMap(([, type = '', written = '']) => {
    const value = clean(written.startsWith('"') ? unquote(written) : written);
    if (value === null) return [];
    if (type === 'IP Address') return [isIPv6(value) ? shortIpv6(value) : value];
    return [type === 'DNS' ? value : `${type}:${value}`];
  });
}

/** OpenSSL writes every group, in capitals. */
function shortIpv6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

function unquote(json: string): string {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

function keyOf(certificate: X509Certificate): Pick<Certificate, 'keyType' | 'keyBits' | 'selfSigned'> {
  try {
    const { publicKey } = certificate;
    // The property that the older form has beside the modulus; of keys of one size it has none.
    const { bits } = certificate.toLegacyObject() as { bits?: number };
    return {
      keyType: publicKey.asymmetricKeyType ?? null,
      keyBits: bits ?? null,
      selfSigned: certificate.checkIssued(certificate) && certificate.verify(publicKey),
    };
  } catch {
    return { keyType: null, keyBits: null, selfSigned: null }; // an algorithm that OpenSSL does not know
  }
}
