/**
 * postgres-listener: hears from PostgreSQL which reports any process has just brought into the index.
 *
 * One connection of its own while anybody listens. When that is lost it is made anew, and what came in meanwhile is asked
 * for, so that nothing is missed or told twice.
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
  /** Ids of the reports received since an instant, milliseconds since 1970. */
  receivedSince: (at: number) => Promise<string[]>;
  /** Told of connections that were lost. */
  onConnectionError: (cause: Error) => void;
};

/** An answer that is not there by then will not come. */
const connectTimeoutMs = 5_000;
/** Clocks of several APIs differ, and a put takes a while. */
const overlapMs = 10_000;
const mostTold = 20_000;
const retryMs = { least: 200, most: 10_000 };

export type PostgresListener = { onReports: OnReports; close(): Promise<void> };

export function makePostgresListener(options: PostgresListenerOptions): PostgresListener {
  const { url, channel, receivedSince, onConnectionError } = options;
  const announcements: Announcements = makeAnnouncements();
  /** The last ids told, the oldest first. */
  const told = new Set<string>();
  let listeners = 0;
  let connection: { client: Client; ended: Promise<void> } | null = null;
  let connecting: Promise<void> | null = null;
  let stopped = new AbortController();

  function tell(ids: readonly string[]): void {
    const fresh = ids.filter((id) => !told.has(id));
    for (const id of fresh) told.add(id);
    for (const id of told) {
      if (told.size <= mostTold) break;
      told.delete(id);
    }
    announcements.tell(fresh);
  }

  async function connect(): Promise<void> {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      application_name: 'os-inspector live',
    });
    const ended = Promise.withResolvers<void>();
    client.on('notification', ({ payload }) => tell(fromPayload(payload ?? '')));
    client.on('error', onConnectionError);
    client.on('end', () => ended.resolve());
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
    } catch (cause) {
      client.end().catch(() => {});
      throw cause;
    }
    connection = { client, ended: ended.promise };
  }

  /** Until nobody listens any more. */
  async function keepConnected({ signal }: AbortController): Promise<void> {
    for (;;) {
      await connection?.ended;
      if (signal.aborted) return;
      connection = null;
      const lostAt = Date.now();
      for (let attempt = 0; connection === null && !signal.aborted; attempt += 1) {
        // Full jitter: several APIs lose their connections at the same moment.
        const most = Math.min(retryMs.most, retryMs.least * 2 ** attempt);
        await delay(Math.random() * most, undefined, { signal, ref: false }).catch(() => {});
        if (!signal.aborted) await connect().catch(onConnectionError);
      }
      if (signal.aborted) return;
      tell(await receivedSince(lostAt - overlapMs).catch(() => []));
    }
  }

  async function disconnect(): Promise<void> {
    stopped.abort();
    const open = connection;
    connection = null;
    connecting = null;
    told.clear();
    await open?.client.end();
  }

  return {
    async onReports(listener) {
      listeners += 1;
      if (!connecting) {
        stopped = new AbortController();
        const own = stopped;
        connecting = connect().then(() => {
          keepConnected(own);
        });
      }
      const started = connecting;
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
        await started;
      } catch (cause) {
        await stop();
        throw cause;
      }
      return stop;
    },
    close: disconnect,
  };
}
