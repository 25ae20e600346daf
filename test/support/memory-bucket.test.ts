import { describe, expect, test } from 'vitest';
import { describeBucket } from '../contracts/bucket-suite.ts';
import { memoryBucket } from './memory-bucket.ts';

describe('memory bucket', () => {
  describeBucket(async () => memoryBucket());

  test('a list shows what is put ahead of it, and not what is put behind', async () => {
    const bucket = memoryBucket({ pageSize: 2 });
    for (const key of ['b', 'c', 'd']) await bucket.put(key, new Uint8Array(1));
    const listed: string[] = [];
    for await (const { key } of bucket.list()) {
      listed.push(key);
      if (key === 'c') for (const other of ['a', 'e']) await bucket.put(other, new Uint8Array(1));
    }
    expect(listed).toEqual(['b', 'c', 'd', 'e']);
  });
});
