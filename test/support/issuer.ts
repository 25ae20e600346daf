/** issuer: an identity provider on loopback, with keys of its own, that signs whatever a test wants it to. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { whenFileIsDone } from './cleanup.ts';

export type Issuer = {
  url: string;
  /** What it says its keys are; tests change it. */
  keys: JWK[];
  /** What it says of itself beside its name and the address of its keys. */
  metadata: Record<string, unknown>;
  /** What it does with a request. */
  mood: 'answers' | 'fails' | 'hangs' | 'redirects';
  /** How often it was asked, for whatever. */
  requests(): number;
  /** Makes a key and shows its public half. @returns the private one */
  addKey(kid?: string, alg?: string): Promise<CryptoKey>;
  stop(): Promise<void>;
};

/** Listens until the test file is done. */
export async function startIssuer(): Promise<Issuer> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (issuer.mood === 'hangs') return;
    if (issuer.mood === 'fails') response.statusCode = 500;
    const { pathname, search } = new URL(request.url ?? '/', issuer.url);
    if (issuer.mood === 'redirects' && search === '') {
      response.writeHead(302, { location: `${pathname}?moved` });
    }
    const metadata = { issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...issuer.metadata };
    const body = pathname === '/keys' ? { keys: issuer.keys } : metadata;
    response.end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer: Issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys: [],
    metadata: {},
    mood: 'answers',
    requests: () => requests,
    async addKey(kid, alg = 'ES256') {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      issuer.keys.push({ ...(await exportJWK(publicKey)), ...(kid === undefined ? {} : { kid }), alg });
      return privateKey;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  whenFileIsDone(issuer.stop);
  return issuer;
}

type Values = Record<string, unknown>;

/** A token for `inventory` that allows to read, or what `claims` and `header` say otherwise; undefined leaves one out. */
export function signToken(
  key: CryptoKey | Uint8Array,
  issuer: string,
  { now, claims = {}, header = {} }: { now: number; claims?: Values; header?: Values },
): Promise<string> {
  const usual = { iss: issuer, aud: 'inventory', sub: 'u-1', exp: Math.floor(now / 1_000) + 600 };
  const all = Object.entries({ ...usual, scope: 'openid read', ...claims });
  return new SignJWT(Object.fromEntries(all.filter(([, value]) => value !== undefined)))
    .setProtectedHeader({ alg: 'ES256', kid: 'a', ...header })
    .sign(key);
}
