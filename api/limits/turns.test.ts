import { expect, test } from 'vitest';
import { openTurns } from './turns.ts';

test('so many run at once, the others in their order, also after one that failed', async () => {
  const turns = openTurns(2);
  const begun: number[] = [];
  const works = [0, 1, 2, 3].map(() => Promise.withResolvers<number>());
  const all = works.map((work, number) =>
    turns.take(() => {
      begun.push(number);
      return work.promise;
    }),
  );
  const settled = Promise.allSettled(all);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  expect(begun).toEqual([0, 1]);
  works[1]?.reject(new Error('failed'));
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  works[0]?.resolve(0);
  await turn();
  expect(begun).toEqual([0, 1, 2, 3]);
  works[2]?.resolve(2);
  works[3]?.resolve(3);
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  await turns.take(async () => begun.push(4));
  expect(begun).toHaveLength(5);
});
