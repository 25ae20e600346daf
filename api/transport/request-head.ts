/**
 * request-head: refuses heads that HTTP allows nobody to send, and those that a proxy may read otherwise than this server.
 *
 * Node is strict about how a head is written; this is about what it says. What is made of it afterwards is the address
 * of the request, which decides what is answered: so nothing but a host may stand where the host is.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export type HeadProblem = { status: number; message: string };

export const maxHeaders = 100;
/** What no route knows is told by the route. */
export const methods = ['GET', 'HEAD', 'POST', 'OPTIONS'];
const hostAndPort = /^(?:[a-z\d._~-]+|\[[a-f\d:.]+\])(?::\d{0,5})?$/i;
/** `..` and `\` would be taken out on the way to a route, and who stands before us has looked at the whole path. */
const misleading = /[\\#]|\/(?:\.|%2e){1,2}(?:\/|$)/i;

/**
 * A page on the internet may have its own name lead to this machine, and is of one site with the API then, to its
 * browser: so an API that asks for no credentials has no name that such a page could take.
 */
export const anotherName: HeadProblem = {
  status: 421,
  message:
    'without authentication this API answers to addresses and localhost alone: ask it by one, or set AUTH=required; a proxy sends the address of the API as Host, and its own name as X-Forwarded-Host',
};

export function isLocalName(host: string | undefined): boolean {
  const name = host?.replace(/:\d*$/, '').toLowerCase() ?? 'localhost';
  return /(?:^|\.)localhost$/.test(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) > 0;
}

/** Null for a head that is in order; one that names the whole address has its path alone then. */
export function problemOfHead(request: IncomingMessage): HeadProblem | null {
  const { rawHeaders, httpVersion, method = '', headers } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return { status: 505, message: 'this server speaks HTTP/1.1' };
  // Node leaves out what is more.
  if (rawHeaders.length / 2 > maxHeaders)
    return { status: 431, message: `a request may have ${maxHeaders} headers` };
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && /^host$/i.test(name)).length;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1'))
    return { status: 400, message: 'there must be one Host header' };
  if (!methods.includes(method))
    return { status: 405, message: `there is no ${method} here: only ${methods.join(', ')}` };
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return { status: 501, message: 'a body is sent as it is, or in chunks' };
  takePathAlone(request);
  if (headers.host !== undefined && !isHost(headers.host))
    return { status: 400, message: 'the Host header is not a host' };
  const [path = ''] = request.url?.split('?', 1) ?? [];
  if (!path.startsWith('/') || misleading.test(path))
    return { status: 400, message: 'what is asked for must be a path, without . or .. or \\ in it' };
  return null;
}

/** https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2: as a proxy is asked; the host is that one then. */
function takePathAlone(request: IncomingMessage): void {
  const [, host, path = ''] = /^https?:\/\/([^/?#\\]+)(.*)$/i.exec(request.url ?? '') ?? [];
  if (host === undefined) return;
  request.headers.host = host;
  request.url = path.startsWith('/') ? path : `/${path}`;
}

/** A port of five digits may still be none. */
function isHost(host: string): boolean {
  return hostAndPort.test(host) && URL.canParse(`http://${host}/`);
}
