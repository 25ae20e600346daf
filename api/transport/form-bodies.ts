/**
 * form-bodies: refuses bodies of the kinds that a form of any web page may send to anywhere without asking first.
 *
 * What a browser sends as JSON to another site, it asks that site about before, and here it is told no.
 */
import type { Plugin } from 'graphql-yoga';
import { refusalResponse } from './refusal-response.ts';

const formTypes = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];

/** @param paths that take bodies */
export function useNoFormBodies(paths: readonly string[]): Plugin {
  return {
    onRequest({ request, url, endResponse }) {
      if (request.method !== 'POST' || !paths.includes(url.pathname)) return;
      const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
      if (!formTypes.includes(type.trim().toLowerCase())) return;
      const message = `a body of ${type.trim()} is not taken: send JSON, as content-type: application/json`;
      endResponse(refusalResponse(415, 'BAD_REQUEST', message));
    },
  };
}
