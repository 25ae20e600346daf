import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchRefusedCertificates } from './refused-certificates.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('each reason is told at once, and then once a minute', () => {
  const server = new EventEmitter();
  const told: [string, number][] = [];
  watchRefusedCertificates(server as never, (reason, clients) => told.push([reason, clients]));
  const refuse = (authorizationError: string | null, code = 'ECONNRESET') =>
    server.emit('tlsClientError', { code }, { authorizationError });
  for (let client = 0; client < 3; client += 1) refuse('CERT_REVOKED');
  refuse('CRL_HAS_EXPIRED');
  refuse(null, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
  // Whoever speaks no TLS was not refused for a certificate.
  refuse(null, 'ERR_SSL_WRONG_VERSION_NUMBER');
  refuse(null);
  const first = [
    ['CERT_REVOKED', 1],
    ['CRL_HAS_EXPIRED', 1],
    ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 1],
  ];
  expect(told).toEqual(first);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([...first, ['CERT_REVOKED', 2]]);
  refuse('CERT_REVOKED');
  expect(told).toHaveLength(5);
  vi.advanceTimersByTime(60_000);
  expect(told).toHaveLength(5);
});
