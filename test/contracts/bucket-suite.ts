/**
 * bucket-suite: what every bucket does, run on each implementation.
 */
import { expect, test } from 'vitest';
import type { Bucket, ListOptions } from '../../api/bucket/bucket.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array | null) => body && new TextDecoder().decode(body);

async function keys(bucket: Bucket, options?: ListOptions): Promise<string[]> {
  return Array.fromAsync(bucket.list(options), ({ key }) => key);
}

export type SuiteOptions = {
  /** false for s3rver, which sorts `a/1` before `a-b`. Our keys never differ so. */
  ordersPunctuation?: boolean;
};

/** @param open returns a bucket that is empty, each time another one */
export function describeBucket(
  open: () => Promise<Bucket>,
  { ordersPunctuation = true }: SuiteOptions = {},
): void {
  test('gives back what was put, byte for byte', async () => {
    const bucket = await open();
    const body = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256);
    await bucket.put('a/binary', body);
    await bucket.put('a/empty', new Uint8Array());
    expect(Buffer.compare((await bucket.get('a/binary')) ?? new Uint8Array(), body)).toBe(0);
    expect((await bucket.get('a/empty'))?.length).toBe(0);
  });

  test('has null for what is not there, also below an object and above one', async () => {
    const bucket = await open();
    await bucket.put('a/b', bytes('x'));
    expect(await bucket.get('nothing')).toBeNull();
    expect(await bucket.get('a/b/c')).toBeNull();
    expect(await bucket.get('a')).toBeNull();
    expect(await bucket.get('a/c', { start: 1 })).toBeNull();
  });

  test('gets ranges, cut to what the object has', async () => {
    const bucket = await open();
    await bucket.put('range', bytes('0123456789'));
    expect(text(await bucket.get('range', { start: 2, end: 5 }))).toBe('234');
    expect(text(await bucket.get('range', { start: 7 }))).toBe('789');
    expect(text(await bucket.get('range', { start: 8, end: 100 }))).toBe('89');
    expect(text(await bucket.get('range', { start: 0, end: 10 }))).toBe('0123456789');
    expect(text(await bucket.get('range', { start: 10 }))).toBe('');
    expect(text(await bucket.get('range', { start: 50, end: 60 }))).toBe('');
    expect(text(await bucket.get('range', { start: 3, end: 3 }))).toBe('');
  });

  test('lists keys in the order of their bytes, from a key on and under a prefix', async () => {
    const bucket = await open();
    // "-" and "." come before "/", "0" after it: folders must not disturb the order of whole keys.
    const odd = ordersPunctuation ? ['a-b/1', 'a.b'] : [];
    const all = [...odd, 'a/1', 'a/2/x', 'a0', 'b/1', 'b/date=2026-01-02/hour=03/z.ndjson.gz'];
    for (const key of all.toReversed()) await bucket.put(key, bytes(key));
    expect(await keys(bucket)).toEqual(all);
    for (const after of [...all, 'a/', 'a/1x', 'b/date=2026-01-01', 'zzz']) {
      expect(await keys(bucket, { after }), `after ${after}`).toEqual(all.filter((key) => key > after));
    }
    expect(await keys(bucket, { prefix: 'a/' })).toEqual(['a/1', 'a/2/x']);
    expect(await keys(bucket, { prefix: 'a' })).toEqual(all.slice(0, -2));
    expect(await keys(bucket, { prefix: 'b/', after: 'b/1' })).toEqual(all.slice(-1));
    expect(await keys(bucket, { prefix: 'nothing/' })).toEqual([]);
  });

  test('lists sizes as stored, and of an object that was overwritten the new one', async () => {
    const bucket = await open();
    await bucket.put('a', bytes('first and longer'));
    await bucket.put('b/c', bytes('12345'));
    await bucket.put('empty', new Uint8Array());
    await bucket.put('a', bytes('123'));
    expect(await Array.fromAsync(bucket.list())).toEqual([
      { key: 'a', size: 3 },
      { key: 'b/c', size: 5 },
      { key: 'empty', size: 0 },
    ]);
  });

  test('lists no more than it is asked for, the first of those that match', async () => {
    const bucket = await open();
    for (const key of ['a/1', 'a/2', 'a/3', 'b/1', 'b/2']) await bucket.put(key, bytes(key));
    expect(await keys(bucket, { limit: 1 })).toEqual(['a/1']);
    expect(await keys(bucket, { limit: 4 })).toEqual(['a/1', 'a/2', 'a/3', 'b/1']);
    expect(await keys(bucket, { limit: 5 })).toHaveLength(5);
    expect(await keys(bucket, { limit: 99, prefix: 'b/' })).toEqual(['b/1', 'b/2']);
    expect(await keys(bucket, { limit: 2, after: 'a/2' })).toEqual(['a/3', 'b/1']);
    expect(await keys(bucket, { limit: 0 })).toEqual([]);
  });

  test('a list that is left half way leaves the bucket usable', async () => {
    const bucket = await open();
    for (const key of ['a', 'b', 'c']) await bucket.put(key, bytes(key));
    for await (const { key } of bucket.list()) {
      expect(key).toBe('a');
      break;
    }
    expect(await keys(bucket)).toEqual(['a', 'b', 'c']);
  });

  test('what is deleted while it is listed is left out or listed, and costs no other key', async () => {
    const bucket = await open();
    const all = Array.from({ length: 200 }, (_, index) => `k/${String(index).padStart(3, '0')}`);
    await Promise.all(all.map((key) => bucket.put(key, bytes('x'))));
    const gone = all.slice(100, 110);
    const listed: string[] = [];
    for await (const { key } of bucket.list()) {
      if (listed.length === 0) await Promise.all(gone.map((each) => bucket.delete(each)));
      listed.push(key);
    }
    expect(listed.filter((key) => !gone.includes(key))).toEqual(all.filter((key) => !gone.includes(key)));
  });

  test('lists more keys than one answer of a store holds', async () => {
    const bucket = await open();
    const all = Array.from({ length: 1203 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
    for (let from = 0; from < all.length; from += 50) {
      await Promise.all(all.slice(from, from + 50).map((key) => bucket.put(key, bytes('x'))));
    }
    expect(await keys(bucket)).toEqual(all);
    expect(await keys(bucket, { after: 'many/00100', prefix: 'many/' })).toEqual(all.slice(101));
    expect(await keys(bucket, { limit: 1100 })).toEqual(all.slice(0, 1100));
  });

  test('overwrites whole, and deletes once or twice', async () => {
    const bucket = await open();
    await bucket.put('k', bytes('first and longer'));
    await bucket.put('k', bytes('second'));
    expect(text(await bucket.get('k'))).toBe('second');
    await bucket.delete('k');
    await bucket.delete('k');
    expect(await bucket.get('k')).toBeNull();
    expect(await keys(bucket)).toEqual([]);
  });

  test('a put that is repeated side by side leaves one whole object', async () => {
    const bucket = await open();
    const bodies = Array.from({ length: 8 }, (_, index) => String(index).repeat(20_000));
    await Promise.all(bodies.map((body) => bucket.put('same', bytes(body))));
    expect(bodies).toContain(text(await bucket.get('same')));
    expect(await keys(bucket)).toEqual(['same']);
  });

  test.each(['', '/a', 'a/', 'a//b', '../up', 'a/../b', '.hidden', 'ü', 'a b', 'a\\b', 'x'.repeat(1025)])(
    'refuses the key %j before anything is done',
    async (key) => {
      const bucket = await open();
      const invalid = expect.objectContaining({ kind: 'INVALID' });
      await expect(bucket.put(key, bytes('x'))).rejects.toEqual(invalid);
      await expect(bucket.get(key)).rejects.toEqual(invalid);
      await expect(bucket.delete(key)).rejects.toEqual(invalid);
    },
  );
}
