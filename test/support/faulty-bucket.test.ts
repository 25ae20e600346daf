import { describe, expect, test } from 'vitest';
import { Failure } from '../../api/failure.ts';
import { describeBucket } from '../contracts/bucket-suite.ts';
import { dyingBucket, type Faults, faultyBucket } from './faulty-bucket.ts';
import { memoryBucket } from './memory-bucket.ts';
import { seededRandom } from './noise.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const keys = Array.from({ length: 20 }, (_, index) => `k/${index + 10}`);
const unavailable = expect.objectContaining({ kind: 'UNAVAILABLE' });

async function open(faults: Partial<Faults>, seed = 1) {
  const memory = memoryBucket();
  for (const key of keys) await memory.put(key, bytes(key));
  return { memory, bucket: faultyBucket(memory, { random: seededRandom(seed), ...faults }) };
}

describe('without faults', () => {
  describeBucket(async () => faultyBucket(memoryBucket(), { random: seededRandom(1) }));
});

describe('slow, and nothing else', () => {
  describeBucket(async () => faultyBucket(memoryBucket(), { random: seededRandom(1), slow: 0.2 }));
});

test('errors: every operation fails, and nothing was done', async () => {
  const { memory, bucket } = await open({ errors: 1 });
  await expect(bucket.put('new', bytes('x'))).rejects.toEqual(unavailable);
  await expect(bucket.delete('k/10')).rejects.toEqual(unavailable);
  await expect(bucket.get('k/10')).rejects.toEqual(unavailable);
  await expect(Array.fromAsync(bucket.list())).rejects.toEqual(unavailable);
  expect([...memory.objects.keys()]).toEqual(keys);
});

test('timeouts after success: puts and deletes fail, and were done', async () => {
  const { memory, bucket } = await open({ timeoutsAfterSuccess: 1 });
  await expect(bucket.put('new', bytes('x'))).rejects.toEqual(unavailable);
  await expect(bucket.delete('k/10')).rejects.toEqual(unavailable);
  expect([...memory.objects.keys()].sort()).toEqual([...keys.slice(1), 'new']);
  expect(await bucket.get('new')).toEqual(bytes('x'));
});

test('partial lists: a list that is cut short always throws, wherever it is cut', async () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 50; seed += 1) {
    const { bucket } = await open({ partialLists: 1 }, seed);
    const listed: string[] = [];
    const all = (async () => {
      for await (const { key } of bucket.list()) listed.push(key);
    })();
    await expect(all).rejects.toEqual(unavailable);
    expect(listed).toEqual(keys.slice(0, listed.length));
    lengths.add(listed.length);
  }
  expect(lengths.size).toBeGreaterThan(4);
  const few = faultyBucket(memoryBucket(), { random: seededRandom(1), partialLists: 1 });
  await expect(Array.fromAsync(few.list())).rejects.toEqual(unavailable);
});

test('slow: an operation lets others pass it by', async () => {
  const { memory } = await open({});
  const slow = faultyBucket(memory, { random: seededRandom(1), slow: 1 });
  const order: string[] = [];
  await Promise.all([
    slow.put('a', bytes('slow')).then(() => order.push('slow')),
    memory.put('a', bytes('fast')).then(() => order.push('fast')),
  ]);
  expect(order).toEqual(['fast', 'slow']);
  expect(await memory.get('a')).toEqual(bytes('slow'));
});

test('gone between: a get finds nothing, though the object is there', async () => {
  const { memory, bucket } = await open({ goneBetween: 1 });
  expect(await bucket.get('k/10')).toBeNull();
  expect(await memory.get('k/10')).not.toBeNull();
});

test('shares are kept to, by the seed alone, until it is healed', async () => {
  const outcomes = async (seed: number) => {
    const { bucket } = await open({ errors: 0.3, timeoutsAfterSuccess: 0.1, slow: 0.2 }, seed);
    const all: boolean[] = [];
    for (let turn = 0; turn < 500; turn += 1) {
      all.push(
        await bucket.put('k/10', bytes('x')).then(
          () => true,
          () => false,
        ),
      );
    }
    const { counts } = bucket;
    bucket.heal();
    for (let turn = 0; turn < 100; turn += 1) await bucket.put('k/10', bytes('x'));
    expect(await Array.fromAsync(bucket.list())).toHaveLength(keys.length);
    return { all, counts };
  };
  const { all, counts } = await outcomes(7);
  expect(counts.errors).toBeGreaterThan(100);
  expect(counts.errors).toBeLessThan(200);
  expect(counts.timeoutsAfterSuccess).toBeGreaterThan(15);
  expect(counts.slow).toBeGreaterThan(100);
  expect(all.filter((ok) => !ok)).toHaveLength(counts.errors + counts.timeoutsAfterSuccess);
  expect((await outcomes(7)).all).toEqual(all);
  expect((await outcomes(8)).all).not.toEqual(all);
});

test('a bucket that dies does nothing more, and its last operation or not', async () => {
  const done = new Set<boolean>();
  for (let seed = 0; seed < 20; seed += 1) {
    const memory = memoryBucket();
    const { bucket, died } = dyingBucket(memory, { random: seededRandom(seed), last: 3 });
    await bucket.put('a', bytes('x'));
    await bucket.put('b', bytes('x'));
    const unheard = () => {
      throw new Failure('INVALID', 'a dead process heard of it');
    };
    bucket.put('c', bytes('x')).then(unheard, unheard);
    await died;
    bucket.put('d', bytes('x')).then(unheard, unheard);
    bucket.delete('a').then(unheard, unheard);
    await new Promise((resolve) => setImmediate(resolve));
    expect([...memory.objects.keys()].filter((key) => key !== 'c')).toEqual(['a', 'b']);
    done.add(memory.objects.has('c'));
  }
  expect(done.size).toBe(2);
});
