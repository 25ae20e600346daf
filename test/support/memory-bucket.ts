/**
 * memory-bucket: a bucket in this process' memory.
 *
 * Lists page by page as stores do: what happens between two pages shows in what is listed then, and does not in what
 * was listed before.
 */
import { assertKey, type Bucket } from '../../api/bucket/bucket.ts';

export type MemoryBucket = Bucket & {
  /** What is there now; for looking at, and for damage. */
  objects: Map<string, Uint8Array>;
};

export type MemoryBucketOptions = {
  /** Keys that one answer to a list holds. @default 1000 */
  pageSize?: number;
};

export function memoryBucket({ pageSize = 1000 }: MemoryBucketOptions = {}): MemoryBucket {
  const objects = new Map<string, Uint8Array>();
  return {
    location: 'memory:',
    objects,
    close() {},

    async put(key, body) {
      assertKey(key);
      // Whoever put it may go on to use the memory.
      objects.set(key, Uint8Array.from(body));
    },

    async get(key, range) {
      assertKey(key);
      const body = objects.get(key);
      if (!body) return null;
      const { start = 0, end = body.length } = range ?? {};
      return body.slice(start, Math.max(start, end));
    },

    async *list({ prefix = '', after = '', limit = Number.POSITIVE_INFINITY } = {}) {
      let last = after;
      for (let left = limit; left > 0; ) {
        const keys = [...objects.keys()].filter((key) => key > last && key.startsWith(prefix)).sort();
        const page = keys
          .slice(0, Math.min(pageSize, left))
          .map((key) => ({ key, size: objects.get(key)?.length ?? 0 }));
        yield* page;
        left -= page.length;
        last = page.at(-1)?.key ?? '';
        if (page.length === keys.length) return;
      }
    },

    async delete(key) {
      assertKey(key);
      objects.delete(key);
    },
  };
}
