import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { jsonOf } from '../test/support/request-body.ts';
import { AnswerTooLongError, httpFetch } from './http-fetch.ts';

async function serve(listener: RequestListener, keepAliveTimeout = 5_000): Promise<URL> {
  const server = createServer({ keepAliveTimeout }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a?b=c`);
}

test('method, headers, path and body arrive, and so does the answer', async () => {
  const url = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { authorization, 'content-length': length } = request.headers;
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.writeHead(201, { 'x-sent': `${request.method} ${request.url} ${authorization} ${length}` });
    response.end(body.toUpperCase());
  });
  const headers = new Headers({ Authorization: 'Bearer x' });
  const answer = await httpFetch(url, { method: 'POST', headers, body: 'grüß' });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('x-sent')).toBe('POST /a?b=c Bearer x 6');
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(await answer.text()).toBe('GRÜSS');
});

test('a long body is compressed, and arrives as it was', async () => {
  const url = await serve(async (request, response) => {
    const { 'content-encoding': encoding, 'content-length': length } = request.headers;
    response.setHeader('x-sent', `${encoding} ${Number(length) < 500}`);
    response.end(JSON.stringify(await jsonOf(request)));
  });
  const body = JSON.stringify({ text: 'grüß '.repeat(1_000) });
  const answer = await httpFetch(url, { method: 'POST', body });
  expect(answer.headers.get('x-sent')).toBe('gzip true');
  expect(await answer.text()).toBe(body);
});

test('an answer without a body is one, and a redirect is not followed', async () => {
  const url = await serve((request, response) => {
    if (request.method === 'HEAD') response.writeHead(304).end();
    else response.writeHead(302, { location: 'http://elsewhere.example/' }).end();
  });
  expect((await httpFetch(url, { method: 'HEAD' })).status).toBe(304);
  expect((await httpFetch(url)).headers.get('location')).toBe('http://elsewhere.example/');
});

test('a connection that the server closed while it was idle is made anew', async () => {
  const seen = new Map<unknown, number>();
  const url = await serve((request, response) => {
    const before = seen.get(request.socket) ?? 0;
    seen.set(request.socket, before + 1);
    if (before > 0) request.socket.destroy();
    else response.end('here');
  });
  expect(await (await httpFetch(url)).text()).toBe('here');
  expect(await (await httpFetch(url)).text()).toBe('here');
  expect(seen.size).toBe(2);
});

test('what goes wrong is told with its code, and a stop with its reason', async () => {
  const url = await serve((_request, response) => response.write('x'));
  const closed = new URL('http://127.0.0.1:1/');
  await expect(httpFetch(closed)).rejects.toMatchObject({
    name: 'TypeError',
    cause: { code: 'ECONNREFUSED' },
  });
  const stopping = new AbortController();
  const hanging = httpFetch(url, { signal: stopping.signal });
  stopping.abort(new Error('enough'));
  await expect(hanging).rejects.toThrow('enough');
});

test('an endless answer is given up', async () => {
  const url = await serve((_request, response) => {
    const more = () => response.write('x'.repeat(65_536)) && setImmediate(more);
    response.on('drain', more);
    more();
  });
  await expect(httpFetch(url)).rejects.toThrow(AnswerTooLongError);
});
