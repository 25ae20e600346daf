/** sse: a client of GraphQL subscriptions over server-sent events, on a socket of its own that it may stop reading. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Answer } from './api.ts';
import { whenFileIsDone } from './cleanup.ts';

export type SseClient = {
  status: number;
  contentType: string;
  /** What it was told until now. */
  answers: Answer[];
  /** Resolves once the server has ended it: whether with a word, or by cutting it off. */
  ended: Promise<'complete' | 'cut off'>;
  /** From now on nothing is read from the socket, whose buffers fill. */
  stopReading(): void;
  read(): void;
  /** Goes without a word. */
  vanish(): void;
};

/** Subscribes; resolves once the server has answered that it did, or did not. */
export async function subscribe(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<SseClient> {
  const asked = request(url, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  asked.on('error', () => {});
  whenFileIsDone(() => asked.destroy());
  asked.end(JSON.stringify({ query, variables }));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const answers: Answer[] = [];
  const ended = Promise.withResolvers<'complete' | 'cut off'>();
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const [, data] = /^event: next\ndata: (.*)$/s.exec(event) ?? [];
      if (data !== undefined) answers.push(JSON.parse(data));
      if (event.startsWith('event: complete')) ended.resolve('complete');
    }
  });
  response.on('error', () => {});
  response.on('close', () => ended.resolve('cut off'));
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    answers,
    ended: ended.promise,
    stopReading: () => response.pause(),
    read: () => response.resume(),
    vanish: () => asked.destroy(),
  };
}
