/**
 * faulty-proxy: stands between agents and an API on loopback, and does to requests what networks do; the same for the
 * same seed, as far as requests come in the same order.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { whenFileIsDone } from './cleanup.ts';
import type { Random } from './noise.ts';

/** What becomes of a request. */
export const fates = ['pass', 'delay', 'drop request', 'cut request', 'drop answer', 'cut answer'] as const;
export type Fate = (typeof fates)[number];

export type FaultyProxy = {
  url: string;
  /** How many requests met each fate. */
  counts: Record<Fate, number>;
  /** How many found no API. */
  unanswered(): number;
  sendTo(url: string): void;
  /** No faults from here on. */
  heal(): void;
};

/** The longest. */
const maxDelayMs = 300;

/** @param share of requests that do not simply pass, 0 to 1 */
export async function startFaultyProxy(random: Random, share: number): Promise<FaultyProxy> {
  const counts = Object.fromEntries(fates.map((fate) => [fate, 0])) as Record<Fate, number>;
  let target: string | null = null;
  let healed = false;
  let unanswered = 0;
  let faulty = 0;

  function draw(): Fate {
    if (healed || random() >= share) return 'pass';
    // By turns, so that few requests meet all of them.
    faulty += 1;
    return fates[1 + (faulty % (fates.length - 1))] ?? 'pass';
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const fate = draw();
    counts[fate] += 1;
    if (fate === 'drop request') return void request.socket.destroy();
    if (fate === 'delay') await pause(random() * maxDelayMs);
    const cutAt = fate === 'cut request' ? Math.floor(random() * body.length) : null;
    const answer = await forward(request, body, cutAt);
    if (answer === null) {
      if (fate !== 'cut request') unanswered += 1;
      request.socket.destroy();
      return;
    }
    if (fate === 'drop answer') return void request.socket.destroy();
    response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
    if (fate !== 'cut answer') return void response.end(answer.body);
    response.write(answer.body.subarray(0, Math.floor(random() * answer.body.length)), () =>
      request.socket.destroy(),
    );
  }

  /** Null when there is no whole answer. */
  function forward(
    { method, headers }: IncomingMessage,
    body: Buffer,
    cutAt: number | null,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: Buffer } | null> {
    const to = target;
    if (to === null) return Promise.resolve(null);
    return new Promise((resolve) => {
      const onward = httpRequest(
        to,
        { method, headers: { ...headers, connection: 'close' } },
        async (answer) => {
          try {
            const chunks: Buffer[] = [];
            for await (const chunk of answer) chunks.push(chunk);
            const { 'transfer-encoding': _, ...rest } = answer.headers;
            resolve({ status: answer.statusCode ?? 502, headers: rest, body: Buffer.concat(chunks) });
          } catch {
            resolve(null);
          }
        },
      );
      onward.on('error', () => resolve(null));
      if (cutAt === null) onward.end(body);
      else onward.write(body.subarray(0, cutAt), () => onward.destroy());
    });
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  whenFileIsDone(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    counts,
    unanswered: () => unanswered,
    sendTo(url) {
      target = url;
    },
    heal() {
      healed = true;
    },
  };
}
