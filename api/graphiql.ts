/**
 * graphiql: the page that browsers get at /graphql, with all of its scripts in it: it needs no internet.
 *
 * The page is some nine megabytes and changes once a day, with the times in its example queries: so it is made and
 * compressed when the first browser of a day asks.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Plugin, shouldRenderGraphiQL } from 'graphql-yoga';
import { exampleQueries } from './example-queries.ts';
import { pagePolicy } from './transport/headers.ts';

type Page = { html: string; gzipped: Uint8Array<ArrayBuffer>; etag: string; policy: string };

/**
 * Answers browsers with GraphiQL; all else is left to the GraphQL endpoint.
 *
 * @param now milliseconds since 1970
 */
export function useGraphiqlPage(endpoint: string, now: () => number): Plugin {
  let made: { queries: readonly string[]; page: Promise<Page> } | null = null;
  const today = () => {
    const queries = exampleQueries(now());
    if (made?.queries.join() !== queries.join()) made = { queries, page: renderPage(endpoint, queries) };
    return made.page;
  };
  return {
    async onRequest({ request, url, fetchAPI, endResponse }) {
      if (url.pathname !== endpoint || !shouldRenderGraphiQL(request)) return;
      const { html, gzipped, etag, policy } = await today();
      const headers = {
        ...{ 'content-type': 'text/html; charset=utf-8', etag, 'cache-control': 'no-cache' },
        // With a 304 as well: a browser takes its headers for those of the page that it kept.
        'content-security-policy': policy,
        vary: 'accept, accept-encoding',
      };
      if (request.headers.get('if-none-match') === etag) {
        endResponse(new fetchAPI.Response(null, { status: 304, headers }));
      } else if (/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) {
        endResponse(new fetchAPI.Response(gzipped, { headers: { ...headers, 'content-encoding': 'gzip' } }));
      } else {
        endResponse(new fetchAPI.Response(html, { headers }));
      }
    },
  };
}

async function renderPage(endpoint: string, queries: readonly string[]): Promise<Page> {
  // Nine megabytes of source: loaded when the first browser asks, not at every start.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const page = renderGraphiQL({
    endpoint,
    title: 'os-inspector',
    defaultTabs: queries.map((query) => ({ query })),
  });
  // Its tabs glide into place when the page opens, and a click on one that still moves would be lost.
  const style = '.graphiql-tab { transform: none !important } .graphiql-logo { white-space: nowrap }';
  const html = page.replace('</head>', `<style>${style}</style></head>`);
  const gzipped = new Uint8Array(await promisify(gzip)(html));
  const etag = `"${createHash('sha256').update(html).digest('base64url')}"`;
  return { html, gzipped, etag, policy: pagePolicy(html) };
}
