/**
 * postgres-requests: ends the statements of a request that was given up, on the server as well.
 *
 * Statements find their request by the asynchronous context that they run in.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { untilAborted } from '../until-aborted.ts';

const cancelEveryMs = 200;

const requests = new AsyncLocalStorage<AbortSignal>();

/** Runs work whose statements end when the signal is aborted. */
export function inRequest<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return untilAborted(signal, () => requests.run(signal, work));
}

/** What Kysely needs of a pool. */
type ConnectionPool = { connect(): Promise<PoolClient>; end(): Promise<void> };

/** @param spare connections to cancel with, when all others are busy */
export function cancellingPool(pool: Pool, spare: Pool): ConnectionPool {
  async function connect(): Promise<PoolClient> {
    const signal = requests.getStore();
    if (!signal) return pool.connect();
    const connecting = pool.connect();
    try {
      return cancellable(await untilAborted(signal, () => connecting), signal);
    } catch (cause) {
      connecting.then(
        (client) => client.release(),
        () => {},
      );
      throw cause;
    }
  }

  function cancellable(client: PoolClient, signal: AbortSignal): PoolClient {
    const { processID } = client as PoolClient & { processID: number | null };
    const released = Promise.withResolvers<void>();
    let isReleased = false;
    let cancelling: Promise<void> | null = null;
    /** Again and again: a cancellation that arrives before the statement does ends nothing. */
    async function keepCancelling(): Promise<void> {
      while (!isReleased) {
        await spare.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => {});
        await Promise.race([released.promise, delay(cancelEveryMs, undefined, { ref: false })]);
      }
    }
    const cancel = () => {
      cancelling = keepCancelling();
    };
    signal.addEventListener('abort', cancel, { once: true });
    const release: PoolClient['release'] = (destroy) => {
      signal.removeEventListener('abort', cancel);
      isReleased = true;
      released.resolve();
      // Not before the cancellation has gone: it must not hit whoever has the connection next.
      if (cancelling) cancelling.then(() => client.release(destroy));
      else client.release(destroy);
    };
    return new Proxy(client, {
      get(target, name) {
        if (name === 'release') return release;
        const member = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  return {
    connect,
    async end() {
      await Promise.all([pool.end(), spare.end()]);
    },
  };
}
