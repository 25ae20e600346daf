import { expect, test } from 'vitest';
import { type Copy, compareCopies } from './copies.ts';

const copy = (receivedAt: number, line: string): Copy => ({ receivedAt, line });

test('the copy that was received first counts, whatever its line', () => {
  expect(compareCopies(copy(1, 'z'), copy(2, 'a'))).toBeLessThan(0);
  expect(compareCopies(copy(2, 'a'), copy(1, 'z'))).toBeGreaterThan(0);
});

test('at the same millisecond the line that sorts first by its bytes counts', () => {
  expect(compareCopies(copy(1, 'a'), copy(1, 'ab'))).toBeLessThan(0);
  // By characters of UTF-16 these two would be the other way round.
  expect(compareCopies(copy(1, '\uffee'), copy(1, '\u{1f600}'))).toBeLessThan(0);
  expect(compareCopies(copy(1, 'ü'), { receivedAt: 1, line: Buffer.from('ü') })).toBe(0);
});

test('the same copy counts in whatever order they are met', () => {
  const copies = [copy(5, 'a'), copy(3, 'c'), copy(3, 'b'), copy(9, 'a'), copy(3, 'bb')];
  for (let turn = 0; turn < copies.length; turn += 1) {
    const order = [...copies.slice(turn), ...copies.slice(0, turn)];
    const first = order.reduce((counts, other) => (compareCopies(other, counts) < 0 ? other : counts));
    expect(first).toEqual(copy(3, 'b'));
  }
});
