/**
 * same-site: refuses what another web site's page makes a visitor's browser send.
 *
 * A browser sends the credentials that its user once typed with such requests as well, and reaches an API on loopback
 * that asks for none. Browsers say where a request comes from; agents and scripts say nothing, and are welcome.
 */
import type { Plugin } from 'graphql-yoga';
import { refusalResponse } from './refusal-response.ts';

/** To stand before whatever costs something. */
export function useSameSite(): Plugin {
  return {
    onRequest({ request, endResponse }) {
      if (!isFromAnotherSite(request)) return;
      endResponse(refusalResponse(403, 'FORBIDDEN', 'not from the page of another site'));
    },
  };
}

/** A link that somebody follows is not: what they get is their own, and no page of that site sees it. */
export function isFromAnotherSite({ method, headers }: Request): boolean {
  const isRead = method === 'GET' || method === 'HEAD';
  const site = headers.get('sec-fetch-site');
  if (site !== null) {
    if (site === 'same-origin' || site === 'none') return false;
    return !(
      isRead &&
      headers.get('sec-fetch-mode') === 'navigate' &&
      headers.get('sec-fetch-dest') === 'document'
    );
  }
  const origin = headers.get('origin');
  return origin !== null && !isOriginOf(origin, headers.get('host') ?? '');
}

/** Whichever scheme a proxy speaks to us, and whether or not either tells the usual port. */
function isOriginOf(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: asked } = new URL(origin);
  return (
    asked !== '' && URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === asked
  );
}
