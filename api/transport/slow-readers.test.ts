import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { openRaw } from '../../test/support/raw-http.ts';
import { cutSlowReaders } from './slow-readers.ts';

/** More than sockets hold on either side. */
const large = Buffer.alloc(50 * 1024 * 1024, 'x');
const fast = 1e9;

async function listen(respond: (response: ServerResponse) => void, rate = fast) {
  const server = createServer((_request, response) => {
    cutSlowReaders(response, 50, rate);
    respond(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const answered = once(server, 'request').then(([, response]) => response as ServerResponse);
  const connection = await openRaw(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  connection.socket.pause();
  connection.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return { ...connection, response: await answered };
}

test('a client that does not read its answer is cut off', async () => {
  const { response } = await listen((answer) => answer.end(large));
  await once(response, 'close');
  expect(response.writableFinished).toBe(false);
});

test('a large answer may take longer, and one that has been read leaves its connection', async () => {
  const slow = await listen((answer) => answer.end(large), 1024);
  const cut = await listen((answer) => answer.end(large));
  await once(cut.response, 'close');
  expect(slow.response.destroyed).toBe(false);
  let receivedBytes = 0;
  slow.socket.on('data', ({ length }: Buffer) => {
    receivedBytes += length;
  });
  slow.socket.resume();
  await eventually('it is all there', () => receivedBytes > large.length && slow.response.writableFinished);
  expect(slow.socket.closed).toBe(false);
});

test('a stream that has not ended is left alone', async () => {
  const { response } = await listen((answer) => answer.write('first'));
  const other = await listen((answer) => answer.end(large));
  await once(other.response, 'close');
  expect(response.destroyed).toBe(false);
});
