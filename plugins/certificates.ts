/**
 * certificates: when X.509 certificates in the common places of servers expire, and for whom they are.
 *
 * Source: files of Let's Encrypt, web, mail and proxy servers, Kubernetes and the like, and those that the
 * options name. Trust stores are left out. Private keys are never told, nor is anything else of such a file.
 * What it may not read it names. Starts no process.
 */

import { boolean, count, definePlugin, instant, list, text, z } from './plugin.ts';
import { collectCertificates } from './sources/certificate-files.ts';

const place = z
  .string()
  .regex(/^\//, 'must be an absolute path: a file, a folder or a pattern such as "/srv/*/tls/*.pem"');

export default definePlugin({
  name: 'certificates',
  version: 1,
  description: 'X.509 certificates of servers and when they expire',
  facts: {
    nextExpiryAt: instant(
      'When the first of them expires, which may be in the past; null when there are none',
    ),
    certificates: list(
      'Each certificate of each file, by path and position',
      {
        path: text('File it is in', { nullable: false }),
        position: count('Which one of that file, from 0: a server comes first, who signed it follows', {
          nullable: false,
        }),
        commonName: text('Name in its subject; null when it has none, as modern ones need not'),
        subject: text('Whom it is for, as OpenSSL writes it; null when only its alternative names tell'),
        issuer: text('Who signed it'),
        serialNumber: text('Number its issuer gave it, in hexadecimal', { nullable: false }),
        notBefore: instant('When it begins to be valid', { nullable: false }),
        notAfter: instant('When it expires', { nullable: false }),
        subjectAltNames: list(
          'Names it is valid for: domains and addresses plainly, others with their type, as in URI:spiffe://a/b',
          text('Name'),
        ),
        keyType: text('Algorithm of its key: rsa, ec, ed25519'),
        keyBits: count('Size of its key; null where the algorithm has but one'),
        signatureAlgorithm: text('How it is signed: sha256WithRSAEncryption'),
        isAuthority: boolean('Whether it may sign others'),
        selfSigned: boolean('Whether it is signed with its own key'),
        fingerprintSha256: text('SHA-256 of the whole certificate, in hexadecimal', { nullable: false }),
      },
      { key: ['path', 'position'] },
    ),
    unreadable: list('Places and files that are there, but not for the agent to read', text('Path')),
  },
  source:
    '/etc/letsencrypt, /etc/ssl, /etc/pki/tls, /etc/nginx, /etc/apache2, /etc/haproxy, /etc/kubernetes/pki …',
  platforms: ['linux', 'freebsd', 'openbsd', 'darwin'],
  interval: '1h',
  options: z.strictObject({
    paths: z
      .array(place)
      .default([])
      .describe('More files, folders or patterns to look at, beside the common places.'),
    commonPlaces: z.boolean().default(true).describe('Whether to look at the common places.'),
  }),
  collect: collectCertificates,
});
