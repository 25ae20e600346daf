/**
 * read-ahead: gets several objects at a time, hands them on in order, and stops at once when it is told to.
 */
import type { BucketReader, ObjectInfo } from '../bucket/bucket.ts';

/** Hides a store's latency of some 30 ms behind the reading of the others. */
const getsAtOnce = 8;
/** What lies read and waits for its turn: compressed, so the text of it is sixteen times that. */
const maxWaitingBytes = 16 * 1024 * 1024;

export type ReadObject = {
  object: ObjectInfo;
  /** Null when it is gone meanwhile. */
  body: Uint8Array | null;
};

/**
 * @throws Failure UNAVAILABLE when the store does not answer; all before it were handed on
 * @throws the reason of `signal` once that is aborted, also while a get hangs
 */
export async function* readAhead(
  bucket: Pick<BucketReader, 'get'>,
  objects: readonly ObjectInfo[],
  signal?: AbortSignal,
): AsyncGenerator<ReadObject> {
  const reading: { object: ObjectInfo; body: Promise<Uint8Array | null> }[] = [];
  let bytes = 0;
  let next = 0;
  while (next < objects.length || reading.length > 0) {
    for (; reading.length < getsAtOnce; next += 1) {
      const object = objects[next];
      if (!object || (reading.length > 0 && bytes + object.size > maxWaitingBytes)) break;
      const body = bucket.get(object.key);
      // It is awaited when its turn comes; one that fails before must not count as unheard until then.
      body.catch(() => {});
      reading.push({ object, body });
      bytes += object.size;
    }
    const first = reading.shift();
    if (!first) return;
    yield { object: first.object, body: await unlessAborted(first.body, signal) };
    bytes -= first.object.size;
  }
}

/** The same items, until the signal is aborted: then its reason, also while the next one hangs. */
export async function* abortable<T>(items: AsyncIterable<T>, signal?: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: one that hangs ends when its store gives up.
    iterator.return?.().catch(() => {});
  }
}

async function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  work.catch(() => {});
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
