/**
 * resolv-conf: reads resolv.conf(5).
 */
import { withoutZone } from './ip-address.ts';

export type Resolver = { servers: string[]; searchDomains: string[] };

export function parseResolvConf(file: string): Resolver {
  const servers: string[] = [];
  let searchDomains: string[] = [];
  for (const line of file.split(/\r?\n/)) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver') {
      const server = withoutZone(values[0] ?? '');
      if (server && !servers.includes(server)) servers.push(server);
    }
    // The last of either one counts; `search .` stands for none.
    if (keyword === 'search') searchDomains = values;
    if (keyword === 'domain') searchDomains = values.slice(0, 1);
  }
  return {
    servers,
    searchDomains: searchDomains.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain),
  };
}

/** Whether it names nothing but systemd-resolved on this host, which keeps the real ones elsewhere. */
export function isStub({ servers }: Resolver): boolean {
  return servers.length > 0 && servers.every((server) => ['127.0.0.53', '127.0.0.54'].includes(server));
}
