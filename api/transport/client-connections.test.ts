import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { pem } from '../../test/support/authority.ts';
import { freePort } from '../../test/support/free-port.ts';
import { watchClientConnections } from './client-connections.ts';

const long = 3_600_000;
const part = Buffer.alloc(1_000_000, 'x');

/** A server that begins its answers, and leaves the rest to the test; with what asks it. */
async function serve(leaveWithinMs: number) {
  const responses: ServerResponse[] = [];
  // No other reason to end one.
  const options = { cert: pem.serverCert, key: pem.serverKey, keepAliveTimeout: 0 };
  const server = createServer(options, (_request, response) => {
    responses.push(response);
    response.write(part);
  });
  const connections = watchClientConnections(server, leaveWithinMs);
  await once(server.listen(0, '0.0.0.0'), 'listening');
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    server.close().closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  async function ask() {
    const sent = request({ host: '127.0.0.1', port, ca: pem.ca, agent }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const closed = once(response.socket, 'close');
    response.on('error', () => {});
    return { response, closed };
  }
  return { server, port, connections, responses, ask };
}

test('one that is idle is ended at once', async () => {
  const { connections, responses, ask } = await serve(long);
  const { response, closed } = await ask();
  responses[0]?.end();
  await response.toArray();
  connections.end();
  await closed;
});

test('what is under way is answered whole, and is the last of its connection', async () => {
  const { connections, responses, ask } = await serve(long);
  const { response, closed } = await ask();
  connections.end();
  responses[0]?.end(part);
  const read = Buffer.concat(await response.toArray());
  expect(read.byteLength).toBe(2 * part.byteLength);
  await closed;
});

test('an answer that never ends is cut off, and later clients are not', async () => {
  const { connections, responses, ask } = await serve(100);
  const { response, closed } = await ask();
  response.resume();
  connections.end();
  const later = await ask();
  await closed;
  responses[1]?.end();
  expect(Buffer.concat(await later.response.toArray()).byteLength).toBe(part.byteLength);
});

test('one that had begun before is ended once its certificate is checked, and is answered nothing', async () => {
  const { server, port, connections, responses, ask } = await serve(long);
  const from = { port, localAddress: '127.0.0.9', localPort: await freePort('127.0.0.9') };
  const begun = once(server, 'connection');
  const socket = connect({ ...from, host: '127.0.0.1' });
  await begun;
  // From the same end to another address of this machine, which is another connection.
  const other = connectTls({ ...from, host: '127.0.0.2', ca: pem.ca, servername: 'localhost' });
  await once(other, 'secureConnect');
  connections.end();
  await once(other.on('error', () => {}).resume(), 'close');
  const tls = connectTls({ socket, ca: pem.ca, servername: 'localhost' });
  tls.on('error', () => {}).write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const closed = once(tls, 'close');
  tls.resume();
  await closed;
  expect(responses).toHaveLength(0);
  const later = await ask();
  responses[0]?.end();
  expect(Buffer.concat(await later.response.toArray()).byteLength).toBe(part.byteLength);
});
