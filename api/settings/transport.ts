/** transport: how the API meets the network: TLS, proxies before it, and what a connection may take. */
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { type Scope, scopes } from '../auth/identity.ts';
import { parseChoice, parseDurationWithin, parseWholeNumber } from './parse.ts';
import type { ReadSetting } from './read-setting.ts';

export type TlsSettings = {
  /** PEM files, absolute. */
  certFile: string;
  keyFile: string;
  /** Of the authorities whose certificates clients must show; null where they show none. */
  clientCaFile: string | null;
  /** Of the lists of their certificates that are revoked; null where none is. */
  clientCrlFile: string | null;
  /** What such a certificate allows without any other credentials; empty for nothing. */
  clientScopes: Scope[];
};

export type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

export type TransportSettings = {
  /** Null for HTTP without TLS. @default null */
  tls: TlsSettings | null;
  /** Whose word is taken on where a request comes from. @default none */
  trustedProxies: Network[];
  /** @default 10000 */
  maxConnections: number;
  /** How long the head of a request may take to come. @default 10 s */
  headersTimeoutMs: number;
  /** How long all of it may take to come. @default 2 min */
  requestTimeoutMs: number;
};

export const transportDefaults = {
  TLS_CERT: '',
  TLS_KEY: '',
  TLS_CLIENT_CA: '',
  TLS_CLIENT_CRL: '',
  TLS_CLIENT_SCOPES: '',
  TRUSTED_PROXIES: '',
  MAX_CONNECTIONS: '10000',
  HEADERS_TIMEOUT: '10s',
  REQUEST_TIMEOUT: '2m',
} as const;

const dayMs = 24 * 60 * 60 * 1000;

export function readTransport(
  read: ReadSetting<keyof typeof transportDefaults>,
  cwd: string,
): TransportSettings {
  const certFile = read('TLS_CERT', (value) => toFile(value, cwd));
  const goesWithCert = (value: string) => {
    if (value !== '' && certFile === null)
      throw new Error('needs TLS_CERT: there is no TLS without a certificate');
    return value;
  };
  const keyFile = read('TLS_KEY', (value) => {
    if (value === '' && certFile !== null)
      throw new Error('is missing: TLS_CERT needs the key of its certificate');
    return toFile(goesWithCert(value), cwd);
  });
  const clientCaFile = read('TLS_CLIENT_CA', (value) => toFile(goesWithCert(value), cwd));
  const goesWithClientCa = (value: string) => {
    if (value !== '' && clientCaFile === null)
      throw new Error('needs TLS_CLIENT_CA: whose certificates are meant?');
    return value;
  };
  const clientCrlFile = read('TLS_CLIENT_CRL', (value) => toFile(goesWithClientCa(value), cwd));
  const clientScopes = read('TLS_CLIENT_SCOPES', (value) =>
    listOf(goesWithClientCa(value)).map((scope) => parseChoice(scope, scopes)),
  );
  const requestTimeoutMs = read('REQUEST_TIMEOUT', (value) => parseDurationWithin(value, 500, dayMs, '2m'));
  return {
    tls: certFile && keyFile ? { certFile, keyFile, clientCaFile, clientCrlFile, clientScopes } : null,
    trustedProxies: read('TRUSTED_PROXIES', (value) => listOf(value).map(toNetwork)),
    maxConnections: read('MAX_CONNECTIONS', (value) => parseWholeNumber(value, 10, 1_000_000)),
    // The head is a part of the request.
    headersTimeoutMs: read('HEADERS_TIMEOUT', (value) =>
      parseDurationWithin(value, 500, requestTimeoutMs || dayMs, '10s'),
    ),
    requestTimeoutMs,
  };
}

function toFile(value: string, cwd: string): string | null {
  return value === '' ? null : resolve(cwd, value);
}

function listOf(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function toNetwork(text: string): Network {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) {
    throw new Error(`must list addresses and networks such as 10.0.0.0/8, but has ${JSON.stringify(text)}`);
  }
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
