import { expect, test } from 'vitest';
import { firstAfter } from './test-condition.ts';

test.each([
  ['a', 'b'],
  ['node-1', 'node-2'],
  ['z~', 'z\u007f'],
  ['\ud7ff', '\ue000'],
  ['a\u{10ffff}', 'b'],
  ['\u{10ffff}\u{10ffff}', null],
])('the first text after all that begin with %j', (text, after) => {
  expect(firstAfter(text)).toBe(after);
  const bytes = (value: string) => Buffer.from(value);
  if (after === null) return;
  for (const more of ['', '\0', 'zzz', '\u{10ffff}'])
    expect(Buffer.compare(bytes(text + more), bytes(after))).toBe(-1);
});
