/**
 * flood: sends when it is due, whatever is outstanding, and takes every answer as it comes: for load that a server cannot
 * bear.
 *
 * As many hosts at once as there are connections; what is due while all of them wait is counted, and not sent.
 */
import { type Connection, connect } from './load.ts';

export type Flood = {
  url: string;
  perSecond: number;
  seconds: number;
  connections: number;
  /** @param index of all that were due */
  request(index: number): Buffer;
  /** Told once a request is answered with what it asked for, by its number. */
  onTaken?(index: number): void;
};

export type Flooded = {
  /** In the seconds of the flood; what is answered after it is not in them. */
  taken: number;
  shed: number;
  failed: number;
  unsent: number;
  /** Milliseconds from when each request that was taken was due to its answer. */
  latencies: number[];
};

/** Agents give up by then. */
const patienceMs = 30_000;

export async function flood(options: Flood): Promise<Flooded> {
  const { url, perSecond, seconds, connections, request, onTaken } = options;
  const idle = await openAll(url, connections);
  const flooded: Flooded = { taken: 0, shed: 0, failed: 0, unsent: 0, latencies: [] };
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let outstanding = 0;

  /** Servers close what was idle for some seconds, be it in this moment: agents send again then, too. */
  const answerTo = async (connection: Connection, asked: Buffer): Promise<[Connection, Buffer]> => {
    try {
      return [connection, await connection.ask(asked)];
    } catch {
      const other = await connect(url);
      return [other, await other.ask(asked)];
    }
  };

  const ask = async (connection: Connection, index: number) => {
    const dueAt = startedAt + (index / perSecond) * 1000;
    outstanding += 1;
    try {
      const [open, answer] = await answerTo(connection, request(index));
      const now = performance.now();
      const kind = kindOf(answer);
      if (kind === 'taken') {
        flooded.latencies.push(now - dueAt);
        onTaken?.(index);
      }
      if (now < endsAt) flooded[kind] += 1;
      idle.push(open);
    } catch {
      flooded.failed += 1;
    }
    outstanding -= 1;
  };

  let index = 0;
  while (performance.now() < endsAt) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
    for (; index < due; index += 1) {
      const connection = idle.pop();
      if (connection) void ask(connection, index);
      else flooded.unsent += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const givenUpAt = performance.now() + patienceMs;
  while (outstanding > 0 && performance.now() < givenUpAt)
    await new Promise((resolve) => setTimeout(resolve, 10));
  flooded.failed += outstanding;
  for (const connection of idle) connection.close();
  return flooded;
}

/** A few at a time: a server's queue of new connections is not what is measured. */
async function openAll(url: string, count: number): Promise<Connection[]> {
  const open: Connection[] = [];
  while (open.length < count) {
    const some = Math.min(100, count - open.length);
    open.push(...(await Promise.all(Array.from({ length: some }, () => connect(url)))));
  }
  return open;
}

function kindOf(answer: Buffer): 'taken' | 'shed' | 'failed' {
  const status = answer.toString('latin1', 9, 12);
  if (status === '200' && !answer.includes('"errors"')) return 'taken';
  return answer.includes('"UNAVAILABLE"') ? 'shed' : 'failed';
}
