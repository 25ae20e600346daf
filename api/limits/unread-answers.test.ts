import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { openUnreadAnswers, type UnreadAnswersSettings } from './unread-answers.ts';

const answerBytes = 32 * 1024 * 1024;

/** Answers everything with more than any buffer of the system takes. */
async function listen(settings: UnreadAnswersSettings) {
  const watch = openUnreadAnswers(settings);
  const ended: string[] = [];
  const http = createServer((request, response) => {
    response.once('close', () => ended.push(request.url ?? ''));
    response.writeHead(200, { 'content-length': answerBytes });
    watch(response);
    response.end(Buffer.alloc(answerBytes));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(() => resolve()));
  });
  const { port } = http.address() as AddressInfo;
  /** Asks, and reads nothing of the answer. */
  const askOnly = async (path: string) => {
    const socket = connect(port, '127.0.0.1').pause();
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: a.test\r\n\r\n`);
  };
  const read = async (path: string) =>
    (await (await fetch(`http://127.0.0.1:${port}${path}`)).arrayBuffer()).byteLength;
  return { askOnly, read, ended };
}

test('an answer that nobody reads is cut off in the end', async () => {
  const { askOnly, ended } = await listen({ leastMs: 1, bytesPerMs: answerBytes });
  await askOnly('/unread');
  await eventually('it is cut off', () => ended.includes('/unread'));
});

test('of those that are too much together the oldest is cut off; whoever reads has all of it', async () => {
  const { askOnly, read, ended } = await listen({ maxBytes: 2.5 * answerBytes });
  for (const path of ['/first', '/second']) await askOnly(path);
  expect(await read('/read')).toBe(answerBytes);
  await askOnly('/third');
  await eventually('the first is cut off', () => ended.includes('/first'));
  expect(await read('/read')).toBe(answerBytes);
  expect(ended.filter((path) => path !== '/read')).not.toContain('/third');
});
