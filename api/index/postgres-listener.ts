/**
 * postgres-listener: hears from PostgreSQL which reports any process has just brought into the index.
 *
 * One connection of its own while anybody listens. When that is lost, or does not answer any more, it is made anew, and
 * what came in meanwhile is asked for, so that nothing is missed or told twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { type Announcements, makeAnnouncements } from './announcements.ts';
import type { OnReports } from './index-store.ts';

/** PostgreSQL refuses payloads of 8000 bytes; each id takes 16 bytes as base64. */
const idsPerPayload = 350;
const idBytes = 16;

/** Ids as texts that `pg_notify` takes. */
export function* toPayloads(ids: readonly string[]): Generator<string> {
  for (let from = 0; from < ids.length; from += idsPerPayload) {
    const part = ids.slice(from, from + idsPerPayload);
    yield Buffer.from(part.join('').replaceAll('-', ''), 'hex').toString('base64');
  }
}

export function fromPayload(payload: string): string[] {
  const hex = Buffer.from(payload, 'base64').toString('hex');
  return Array.from({ length: hex.length / (2 * idBytes) }, (_, index) => {
    const id = hex.slice(index * 2 * idBytes, (index + 1) * 2 * idBytes);
    return [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-');
  });
}

export type PostgresListenerOptions = {
  url: string;
  channel: string;
  /** Ids of the reports received since an instant (milliseconds since 1970), the oldest first. */
  receivedSince: (at: number) => AsyncIterable<string[]>;
  /** Told of connections that were lost. */
  onConnectionError: (cause: Error) => void;
  /** How often the connection is tried while nothing is heard. @default 10 seconds */
  checkEveryMs?: number;
};

/** An answer that is not there by then will not come. */
const answerTimeoutMs = 5_000;
const goodbyeMs = 1_000;
/** Clocks of several APIs differ, and a put takes a while. */
const overlapMs = 10_000;
/** Those of the overlap and the time between two checks, with a fleet of a hundred thousand hosts. */
const mostTold = 100_000;
const retryMs = { least: 200, most: 10_000 };

export type PostgresListener = { onReports: OnReports; close(): Promise<void> };

type Connection = {
  /** Resolves once it is lost. */
  ended: Promise<void>;
  isEnded(): boolean;
  /** When it was last known to hear what is told. */
  aliveAt(): number;
  end(): Promise<void>;
};

export function makePostgresListener(options: PostgresListenerOptions): PostgresListener {
  const { url, channel, receivedSince, onConnectionError, checkEveryMs = 10_000 } = options;
  const announcements: Announcements = makeAnnouncements();
  /** The last ids told, the oldest first. */
  const told = new Set<string>();
  let listeners = 0;
  /** While anybody listens. */
  let listening: { connected: Promise<void>; stop: AbortController; stopped: Promise<void> } | null = null;

  function tell(ids: readonly string[]): void {
    const fresh = ids.filter((id) => !told.has(id));
    for (const id of fresh) told.add(id);
    for (const id of told) {
      if (told.size <= mostTold) break;
      told.delete(id);
    }
    announcements.tell(fresh);
  }

  async function connect(): Promise<Connection> {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: answerTimeoutMs,
      query_timeout: answerTimeoutMs,
      keepAlive: true,
      application_name: 'os-inspector live',
    });
    const ended = Promise.withResolvers<void>();
    let isEnded = false;
    let aliveAt = Date.now();
    const lost = () => {
      isEnded = true;
      clearInterval(checking);
      ended.resolve();
    };
    // A network that swallows everything closes nothing.
    let isChecking = true;
    const checking = setInterval(async () => {
      if (isChecking) return;
      isChecking = true;
      const askedAt = Date.now();
      try {
        await client.query('SELECT 1');
        aliveAt = askedAt;
      } catch (cause) {
        if (isEnded) return;
        onConnectionError(cause as Error);
        lost();
        client.end().catch(() => {});
      }
      isChecking = false;
    }, checkEveryMs).unref();
    client.on('notification', ({ payload }) => tell(fromPayload(payload ?? '')));
    client.on('error', onConnectionError);
    client.on('end', lost);
    const end = async () => {
      lost();
      // One that is cut off on the way is never told that it is over.
      await Promise.race([client.end(), delay(goodbyeMs, undefined, { ref: false })]);
    };
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
      isChecking = false;
    } catch (cause) {
      end().catch(() => {});
      throw cause;
    }
    return { ended: ended.promise, isEnded: () => isEnded, aliveAt: () => aliveAt, end };
  }

  /** Until nobody listens any more. @param first the connection that there is */
  async function keepConnected(first: Connection, signal: AbortSignal): Promise<void> {
    let connection = first;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    while (!signal.aborted) {
      await Promise.race([connection.ended, stopped]);
      const missedSince = connection.aliveAt() - overlapMs;
      let attempt = 0;
      for (let missing = true; missing && !signal.aborted; attempt += 1) {
        // Full jitter: several APIs lose their connections at the same moment.
        const most = Math.min(retryMs.most, retryMs.least * 2 ** attempt);
        await delay(Math.random() * most, undefined, { signal, ref: false }).catch(() => {});
        if (signal.aborted) break;
        try {
          if (connection.isEnded()) connection = await connect();
          for await (const ids of receivedSince(missedSince)) tell(ids);
          missing = false;
        } catch (cause) {
          onConnectionError(cause as Error);
        }
      }
    }
    await connection.end();
  }

  function start() {
    const stop = new AbortController();
    const connecting = connect();
    const stopped = connecting.then(
      (connection) => keepConnected(connection, stop.signal),
      () => {},
    );
    return { connected: connecting.then(() => {}), stop, stopped };
  }

  async function disconnect(): Promise<void> {
    const ending = listening;
    listening = null;
    told.clear();
    ending?.stop.abort();
    await ending?.stopped;
  }

  return {
    async onReports(listener) {
      listeners += 1;
      listening ??= start();
      const { connected } = listening;
      const leave = await announcements.onReports(listener);
      let left = false;
      const stop = async () => {
        if (left) return;
        left = true;
        await leave();
        listeners -= 1;
        if (listeners === 0) await disconnect();
      };
      try {
        await connected;
      } catch (cause) {
        await stop();
        throw cause;
      }
      return stop;
    },
    close: disconnect,
  };
}
