/**
 * last-use: when credentials were used last, for whoever wonders which of them are still needed.
 *
 * Each node rewrites an object of its own every few minutes; what nodes that are gone have left is taken over by the
 * next that starts. Lost by a crash are a few minutes.
 */
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import type { BucketReader, BucketWriter } from '../bucket/bucket.ts';

const prefix = 'auth-use/';
const writeEveryMs = 5 * 60_000;
/** A node that runs has written since. */
const goneAfterMs = 24 * 60 * 60_000;

const stored = z.object({
  writtenAt: z.iso.datetime(),
  /** By id of the credential. */
  usedAt: z.record(z.string(), z.iso.datetime()),
});

export type LastUse = {
  /** Cheap: it writes nothing. */
  touch(id: string): void;
  start(): void;
  /** Writes what was not written yet. */
  close(): Promise<void>;
};

export type LastUseOptions = {
  bucket: BucketReader & BucketWriter;
  logger: Pick<Logger, 'warn'>;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
};

export function openLastUse({ bucket, logger, now = Date.now }: LastUseOptions): LastUse {
  const key = `${prefix}${uuidV7()}.json`;
  const used = new Map<string, number>();
  let changed = false;
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    if (!changed) return;
    changed = false;
    try {
      const usedAt = Object.fromEntries([...used].map(([id, at]) => [id, new Date(at).toISOString()]));
      const writtenAt = new Date(now()).toISOString();
      await bucket.put(key, Buffer.from(JSON.stringify({ writtenAt, usedAt })));
    } catch (cause) {
      changed = true;
      logger.warn({ err: cause }, 'when credentials were used last cannot be written: tried again');
    }
  }

  async function takeOver(): Promise<void> {
    for await (const node of nodesOf(bucket)) {
      if (node.key === key || now() - node.writtenAt < goneAfterMs) continue;
      for (const [id, at] of node.used) if (at > (used.get(id) ?? 0)) used.set(id, at);
      changed = true;
      await write();
      // Only what is written under this node's name is given up under the other.
      if (!changed) await bucket.delete(node.key);
    }
  }

  return {
    touch(id) {
      used.set(id, now());
      changed = true;
    },
    start() {
      takeOver().catch((cause) => logger.warn({ err: cause }, 'last uses of other nodes cannot be read'));
      timer = setInterval(write, writeEveryMs).unref();
    },
    async close() {
      clearInterval(timer);
      await write();
    },
  };
}

/** By id of the credential, milliseconds since 1970: what all nodes have written. */
export async function readLastUses(bucket: BucketReader): Promise<Map<string, number>> {
  const latest = new Map<string, number>();
  for await (const { used } of nodesOf(bucket)) {
    for (const [id, at] of used) latest.set(id, Math.max(at, latest.get(id) ?? 0));
  }
  return latest;
}

type Node = { key: string; writtenAt: number; used: Map<string, number> };

async function* nodesOf(bucket: BucketReader): AsyncGenerator<Node> {
  for await (const { key } of bucket.list({ prefix })) {
    const body = await bucket.get(key);
    const read = body && stored.safeParse(parsed(body));
    // What cannot be read is worth no more than that somebody wonders.
    if (!read?.success) continue;
    const used = Object.entries(read.data.usedAt).map(([id, at]) => [id, Date.parse(at)] as const);
    yield { key, writtenAt: Date.parse(read.data.writtenAt), used: new Map(used) };
  }
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return null;
  }
}
