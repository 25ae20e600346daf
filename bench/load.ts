/**
 * load: a load generator that costs little, as it shares the machine with what it measures.
 *
 * Requests are bytes, made before the clock starts; answers are looked at only as far as to find their end and
 * errors. How fast it goes itself is what bench/servers/bare-http.ts answers to it.
 */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

export type Connection = {
  isOpen(): boolean;
  /** Whatever is answered. @throws Error when the connection ends before */
  ask(request: Buffer): Promise<Buffer>;
  /** @throws Error when the answer is not 200 or has GraphQL errors */
  send(request: Buffer): Promise<Buffer>;
  close(): void;
};

/** A question to GraphQL, whole; the same for every server. */
export function toRequest(body: { query: string; variables?: unknown }): Buffer {
  const text = JSON.stringify(body);
  const head = [
    'POST /graphql HTTP/1.1',
    'host: 127.0.0.1',
    'content-type: application/json',
    'accept: application/graphql-response+json, application/json',
    `content-length: ${Buffer.byteLength(text)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`);
}

export async function connect(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  return toConnection(socket);
}

/** One request at a time. */
function toConnection(socket: Socket): Connection {
  let waiting: PromiseWithResolvers<Buffer> | null = null;
  let received: Buffer | null = null;
  let open = true;
  const fail = (error: Error) => {
    open = false;
    waiting?.reject(error);
    waiting = null;
  };
  socket.on('data', (chunk: Buffer) => {
    received = received ? Buffer.concat([received, chunk]) : chunk;
    if (!isWhole(received)) return;
    const [answer, asked] = [received, waiting];
    [received, waiting] = [null, null];
    asked?.resolve(answer);
  });
  socket.on('error', fail).on('close', () => fail(new Error('the server closed the connection')));
  const ask = async (request: Buffer) => {
    if (!open) throw new Error('the server closed the connection');
    waiting = Promise.withResolvers();
    socket.write(request);
    return waiting.promise;
  };
  return {
    isOpen: () => open,
    ask,
    async send(request) {
      const answer = await ask(request);
      if (isSuccess(answer)) return answer;
      throw new Error(`answered ${answer.toString('utf8').slice(0, 2000)}`);
    },
    close() {
      socket.destroy();
    },
  };
}

function isWhole(answer: Buffer): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const head = answer.toString('latin1', 0, headEnd);
  const [, length] = /^content-length: (\d+)/im.exec(head) ?? [];
  // Otherwise in chunks, of which an empty one is the last.
  if (length === undefined) return answer.toString('latin1', answer.length - 5) === '0\r\n\r\n';
  return answer.length >= headEnd + 4 + Number(length);
}

function isSuccess(answer: Buffer): boolean {
  return answer.toString('latin1', 9, 12) === '200' && !answer.includes('"errors"');
}

export type Answers = { answers: number; perSecond: number };

export type Saturation = {
  url: string;
  requests: readonly Buffer[];
  connections: number;
  /** Ends by then, whatever is left. */
  seconds: number;
};

/** How many answers come when each connection sends its next request as soon as it has one. */
export async function saturate({ url, requests, connections, seconds }: Saturation): Promise<Answers> {
  const open = await Promise.all(Array.from({ length: connections }, () => connect(url)));
  const startedAt = performance.now();
  const left = requests.values();
  let answers = 0;
  const sendAll = async ({ send }: Connection) => {
    // An iterator that all of them share gives each request to one of them.
    for (let next = left.next(); !next.done; next = left.next()) {
      await send(next.value);
      answers += 1;
      if (performance.now() - startedAt > seconds * 1000) return;
    }
  };
  await Promise.all(open.map(sendAll));
  const took = (performance.now() - startedAt) / 1000;
  for (const connection of open) connection.close();
  return { answers, perSecond: answers / took };
}

export type Pace = {
  url: string;
  requests: readonly Buffer[];
  perSecond: number;
  /** Told once a request is answered, by its number. */
  onAnswer?: (index: number) => void;
};

export type Paced = {
  /** Milliseconds from when each request was due to its answer, in the order of the answers. */
  latencies: number[];
  /** Answers that said to come again later. */
  refused: number;
  /** Those left when it gave up, as the server fell behind ever further. */
  unsent: number;
};

/** This much of what is due may be outstanding before it gives up, in seconds. */
const mostBehindSeconds = 10;

/**
 * Sends at a steady pace, whatever is still outstanding, as hosts do that do not know of each other: a server that
 * stands still is not spared the requests that it holds up.
 */
export async function pace({ url, requests, perSecond, onAnswer }: Pace): Promise<Paced> {
  const idle = await Promise.all(Array.from({ length: 32 }, () => connect(url)));
  const paced: Paced = { latencies: [], refused: 0, unsent: 0 };
  const outstanding = new Set<Promise<void>>();
  const startedAt = performance.now();
  const dueAt = (index: number) => startedAt + (index / perSecond) * 1000;
  const send = async (request: Buffer, index: number) => {
    try {
      await sendOnAny(idle, url, request);
      onAnswer?.(index);
    } catch (cause) {
      if (!String(cause).includes('"UNAVAILABLE"')) throw cause;
      paced.refused += 1;
    }
    paced.latencies.push(performance.now() - dueAt(index));
  };
  for (const [index, request] of requests.entries()) {
    while (performance.now() < dueAt(index)) await new Promise((resolve) => setTimeout(resolve, 1));
    if (outstanding.size > perSecond * mostBehindSeconds) {
      paced.unsent = requests.length - index;
      break;
    }
    const answered = send(request, index).then(() => {
      outstanding.delete(answered);
    });
    // What failed stays, and is told at the end.
    answered.catch(() => {});
    outstanding.add(answered);
  }
  await Promise.all(outstanding);
  for (const connection of idle) connection.close();
  return paced;
}

async function sendOnAny(idle: Connection[], url: string, request: Buffer): Promise<void> {
  let connection = idle.pop() ?? (await connect(url));
  try {
    await connection.send(request);
  } catch (cause) {
    if (connection.isOpen()) throw cause;
    // Servers close what was idle for some seconds, be it in this moment: agents send again then, too.
    connection = await connect(url);
    await connection.send(request);
  }
  idle.push(connection);
}

/** Sends requests in turn from some connections. @returns a function that ends it */
export async function keepBusy(
  url: string,
  requests: readonly Buffer[],
  connections: number,
): Promise<() => Promise<Answers>> {
  const open = await Promise.all(Array.from({ length: connections }, () => connect(url)));
  let stopped = false;
  let answers = 0;
  const repeat = async ({ send }: Connection, offset: number) => {
    for (let turn = offset; !stopped; turn += 1) {
      const request = requests[turn % requests.length];
      if (request) await send(request);
      answers += 1;
    }
  };
  const startedAt = performance.now();
  const running = Promise.all(open.map(repeat));
  running.catch(() => {});
  return async () => {
    stopped = true;
    const took = (performance.now() - startedAt) / 1000;
    await running;
    for (const connection of open) connection.close();
    return { answers, perSecond: answers / took };
  };
}
