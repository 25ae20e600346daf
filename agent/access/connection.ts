/** connection: what makes the agent's connections: whom it trusts, what it shows of itself, and by which proxy it goes. */
import type { Agent } from 'node:http';
import type { AgentOptions } from 'node:https';
import { nodeHttp, nodeHttps, nodeTls } from '../../plugins/node-http.ts';
import type { TlsMaterial } from './tls-files.ts';

export type ConnectionParts = {
  url: string;
  tls: TlsMaterial;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY may be. */
  env: Readonly<Record<string, string | undefined>>;
};

/** As Node's own: reports of one batch after another go over one connection. */
const keepAliveMs = 5_000;

export function connectionFor({ url, tls, env }: ConnectionParts): Agent {
  const { protocol, hostname } = new URL(url);
  const common = {
    ...{ keepAlive: true, timeout: keepAliveMs },
    // A proxy knows another loopback than this host's.
    ...(isLoopback(hostname) ? {} : { proxyEnv: proxiesOf(env) }),
  };
  if (protocol === 'http:') return new (nodeHttp().Agent)(common);
  return new (nodeHttps().Agent)({ ...common, ...tlsOptions(tls) });
}

/** As `tls.connect` takes them. An authority of the config comes on top of those that Node trusts. */
export function tlsOptions({ ca, cert, key }: TlsMaterial): Pick<AgentOptions, 'ca' | 'cert' | 'key'> {
  return {
    ...(ca === null ? {} : { ca: [...nodeTls().getCACertificates('default'), ca] }),
    ...(cert === null || key === null ? {} : { cert, key }),
  };
}

/** The proxy by which an address is reached; null for none. Says nothing of NO_PROXY. */
export function proxyFor(url: URL, env: ConnectionParts['env']): string | null {
  const { HTTP_PROXY, HTTPS_PROXY } = proxiesOf(env);
  const proxy = url.protocol === 'https:' ? HTTPS_PROXY : HTTP_PROXY;
  return isLoopback(url.hostname) ? null : (proxy ?? null);
}

/** In lower case they come first, as elsewhere. */
function proxiesOf(env: ConnectionParts['env']) {
  return {
    HTTP_PROXY: env.http_proxy ?? env.HTTP_PROXY,
    HTTPS_PROXY: env.https_proxy ?? env.HTTPS_PROXY,
    NO_PROXY: env.no_proxy ?? env.NO_PROXY,
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
