import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openApiLog } from './api-log.ts';
import { requestId, withRequestId } from './request-id.ts';

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const http = createServer(withRequestId(answer)).listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => void http.close());
  const { port } = http.address() as AddressInfo;
  return async (given?: string) => {
    const headers = given === undefined ? {} : { 'x-request-id': given };
    const sent = request({ port, headers, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    return String(response.headers['x-request-id']);
  };
}

test('a request has a name in its answer and in each line of the log that it leads to', async () => {
  const lines: string[] = [];
  const logger = openApiLog('info', { to: { write: (line: string) => lines.push(line) } });
  const ask = await listen(async (_request, response) => {
    await new Promise(setImmediate);
    logger.info('asked');
    response.end();
  });
  const ids = await Promise.all([ask('trace-1'), ask(), ask('trace-2')]);
  expect(ids).toEqual(['trace-1', expect.stringMatching(/^[0-9a-f-]{36}$/), 'trace-2']);
  expect(new Set(lines.map((line) => JSON.parse(line).requestId))).toEqual(new Set(ids));
  expect(requestId()).toBeUndefined();
});

test.each(['a b', '"', 'x'.repeat(129), '<script>', 'ä'])('%j is no name for a request', async (given) => {
  const ask = await listen((_request, response) => void response.end());
  expect(await ask(Buffer.from(given).toString('latin1'))).toMatch(/^[0-9a-f-]{36}$/);
});

test('what a library tells of the request that it made has no secret in the log', () => {
  const lines: string[] = [];
  const logger = openApiLog('info', { to: { write: (line: string) => lines.push(line) } });
  const headers = { authorization: 'Bearer planted', cookie: 'planted' };
  logger.error({ err: Object.assign(new Error('failed'), { request: { headers } }), headers }, 'failed');
  expect(lines.join()).toContain('failed');
  expect(lines.join()).not.toContain('planted');
});
