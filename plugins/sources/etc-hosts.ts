/**
 * etc-hosts: finds a host's own qualified name in /etc/hosts.
 */

/**
 * The name with its domain: the host name when it has one, otherwise the qualified name on a line of
 * /etc/hosts that names the host, the canonical one (the first) before an alias. Null when there is
 * none; DNS is never asked.
 */
export function qualifiedName(hostname: string, hosts: string | null): string | null {
  if (hostname.includes('.')) return hostname;
  const own = hostname.toLowerCase();
  for (const line of (hosts ?? '').split('\n')) {
    const [, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!names.some((name) => name.toLowerCase() === own)) continue;
    // A line for the loopback may have other hosts' names, or localhost.localdomain, before this one's.
    const qualified = names.find((name) => name.toLowerCase().startsWith(`${own}.`));
    if (qualified) return qualified.replace(/\.$/, '');
  }
  return null;
}
