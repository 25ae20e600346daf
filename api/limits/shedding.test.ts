/** What a socket gets of bodies that are too much together. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { buildSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { useBoundedBodies } from '../bounded-body.ts';
import { type InFlight, openInFlight } from './in-flight.ts';
import { shedding } from './shedding.ts';

const maxBodyBytes = 10_000;
const open = () => openInFlight({ maxInFlight: 10, maxBodyBytes, turnMs: () => 0 });

async function listen(listener: RequestListener, inFlight: InFlight): Promise<number> {
  const http = createServer(shedding(listener, inFlight, '/graphql'));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(() => resolve()));
  });
  return (http.address() as AddressInfo).port;
}

/** All that is answered until the connection ends. */
async function answerTo(port: number, ...parts: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (const part of parts) socket.write(part);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await Promise.race([once(socket, 'close'), once(socket, 'error')]);
  return text;
}

const head = (length: number, more = '') =>
  `POST /graphql HTTP/1.1\r\nhost: a.test\r\ncontent-length: ${length}\r\n${more}\r\n`;

test('bodies that wait for their answer take their room until it is there', async () => {
  const inFlight = open();
  const answering = Promise.withResolvers<void>();
  let begun = 0;
  const port = await listen(async (request, response) => {
    request.resume();
    begun += 1;
    await answering.promise;
    response.writeHead(200, { connection: 'close' }).end('done');
  }, inFlight);
  const large = answerTo(port, head(9_000), 'x'.repeat(9_000));
  await eventually('it is worked on', () => begun === 1);
  expect(await answerTo(port, head(2_000, 'connection: close\r\n'), 'x'.repeat(2_000))).toMatch(
    /^HTTP\/1.1 503 /,
  );
  const small = answerTo(port, head(500), 'x'.repeat(500));
  await eventually('a small one is as well', () => begun === 2);
  answering.resolve();
  expect(await large).toMatch(/^HTTP\/1.1 200 /);
  expect(await small).toMatch(/^HTTP\/1.1 200 /);
  expect(await answerTo(port, head(9_000), 'x'.repeat(9_000))).toMatch(/^HTTP\/1.1 200 /);
  expect(inFlight.working()).toBe(0);
});

test('a body that grows beyond what is left is cut off on its way, and its room is free again', async () => {
  const inFlight = open();
  const port = await listen((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { connection: 'close' }).end('done'));
    request.on('error', () => {});
  }, inFlight);
  // Two that each fit alone, and say nothing of how long they are.
  const chunked = 'POST /graphql HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n';
  const part = `${(6_000).toString(16)}\r\n${'x'.repeat(6_000)}\r\n`;
  const first = connect(port, '127.0.0.1');
  first.on('error', () => {});
  await once(first, 'connect');
  first.write(chunked + part);
  const closing = once(first, 'close');
  // Once the first has its room the second finds too little: one of them is cut off.
  expect(await Promise.race([answerTo(port, chunked, part), closing.then(() => '')])).not.toMatch(
    /^HTTP\/1.1 200/,
  );
  first.destroy();
  await closing;
  await eventually('there is room again', async () =>
    (await answerTo(port, head(9_000), 'x'.repeat(9_000))).startsWith('HTTP/1.1 200'),
  );
});

test('a body counts as large as it is unpacked', async () => {
  const inFlight = open();
  const schema = buildSchema('type Query { now: String }');
  const yoga = createYoga({ schema, plugins: [useBoundedBodies(inFlight)], logging: false });
  const port = await listen(yoga, inFlight);
  const ask = async (size: number) => {
    const body = gzipSync(JSON.stringify({ query: '{ now }', variables: { pad: 'x'.repeat(size) } }));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', connection: 'close' };
    return fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', headers, body });
  };
  // Something else is there: whatever is larger than all of the room would have its turn alone.
  const other = inFlight.take({} as never, true);
  other?.grow(1_000);
  expect((await ask(8_000)).status).toBe(200);
  const refused = await ask(9_500);
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(5);
  expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  other?.end();
  expect((await ask(50_000)).status).toBe(200);
});

test('what is refused does not have its large body waited for, and a small one costs no connection', async () => {
  const full = { ...open(), isFull: () => true };
  const port = await listen(() => {
    throw new Error('nothing is to come here');
  }, full);
  expect(await answerTo(port, head(1_000_000), 'x')).toMatch(/^HTTP\/1.1 503 .*connection: close/is);
  const twice = await answerTo(port, head(3), 'abc', head(3, 'connection: close\r\n'), 'abc');
  expect(twice.match(/HTTP\/1.1 503 /g)).toHaveLength(2);
});
