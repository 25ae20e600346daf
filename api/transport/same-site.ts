/**
 * same-site: tells requests that another web site's page makes a visitor's browser send.
 *
 * There are no credentials to steal, but a page open in an operator's browser could write reports. Browsers
 * say where a request comes from; agents and scripts say nothing, and are welcome.
 */
export function isFromAnotherSite({ headers }: Request): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site !== 'same-origin' && site !== 'none';
  const origin = headers.get('origin');
  if (origin === null) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.get('host');
}
