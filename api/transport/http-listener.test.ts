import { once } from 'node:events';
import { Agent, get, type IncomingMessage, type RequestOptions, type ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { openHttpListener } from './http-listener.ts';

async function ask(origin: string, options: RequestOptions = {}) {
  const [response] = (await once(get(origin, options), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, connection: response.headers.connection, text };
}

test('says that it is starting until it is handed what answers', async () => {
  const listener = await openHttpListener({ host: '127.0.0.1', port: 0 });
  expect(await ask(`${listener.origin}/health`)).toMatchObject({ status: 200, text: '{"health":"ok"}' });
  expect(await ask(`${listener.origin}/graphql`)).toMatchObject({ status: 503, text: /starting/ });
  listener.answerWith((_request, response) => response.end('hello'));
  expect(await ask(`${listener.origin}/graphql`)).toMatchObject({ status: 200, text: 'hello' });
  expect(await listener.close()).toBe(true);
});

test('closes as soon as what is under way is answered, also for clients that keep their connections', async () => {
  const listener = await openHttpListener({ host: '127.0.0.1', port: 0 });
  const waiting: ServerResponse[] = [];
  const arrived = Promise.withResolvers<void>();
  listener.answerWith((_request, response) => {
    waiting.push(response);
    if (waiting.length === 4) arrived.resolve();
  });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const answers = Array.from({ length: 4 }, () => ask(listener.origin, { agent }));
  await arrived.promise;
  const closed = listener.close();
  for (const response of waiting) response.end('done');
  expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(Array(4).fill('done'));
  expect(await closed).toBe(true);
  await expect(ask(listener.origin, { agent })).rejects.toThrow();
});

test.each(['[', 'a:99999', 'a b'])('a Host header of %j is refused without a trace', async (host) => {
  const listener = await openHttpListener({ host: '127.0.0.1', port: 0 });
  listener.answerWith((_request, response) => response.end('never'));
  const { status, text } = await ask(listener.origin, { headers: { host } });
  expect(status).toBe(400);
  expect(text).not.toMatch(/never|\.ts|node_modules/);
  await listener.close();
});

test('an address that cannot be had is told with what to do', async () => {
  const first = await openHttpListener({ host: '127.0.0.1', port: 0 });
  const port = Number(new URL(first.origin).port);
  await expect(openHttpListener({ host: '127.0.0.1', port })).rejects.toThrow(/taken; set PORT/);
  await expect(openHttpListener({ host: '192.0.2.254', port: 0 })).rejects.toThrow(
    /no such address; set HOST/,
  );
  await first.close();
});
